import type Docker from "dockerode";
import { waitForEngine } from "../docker/engine";
import type { Context } from "../protocol/resource";
import type { SshConnection } from "../ssh/connection";
import { addressOf, connectPatiently, disconnect, type Connection } from "../ssh/pool";
import { withinSeconds } from "../wait";
import { waitForCloudInit } from "./cloud-init";
import { firstContact, rotateHostKey } from "./host-key";

/** A Droplet boots in well under a minute; a resized one is copied to another host first. */
export const BOOT_SECONDS = 300;

/** A machine that may be gone is waited for this long and no longer. */
export const GONE_SECONDS = 12;

/** Docker starts within seconds of the machine. */
const ENGINE_SECONDS = 120;

/** A machine that has run its user data, with its Docker engine. */
export interface Machine {
  readonly connection: SshConnection;
  readonly address: Connection;
  readonly docker: Docker;
}

/** Waits for a machine that nobody has met: it boots, runs its user data and gets its permanent host key. */
export async function meetMachine(
  { host, port, bootHostKey }: { host: string; port?: number | undefined; bootHostKey: string },
  context: Context,
): Promise<Machine> {
  const at = addressOf({ host, ...(port !== undefined && { port }) });
  const first = await firstContact(at, bootHostKey, context, BOOT_SECONDS);
  let hostKey = first.hostKey;
  try {
    await waitForCloudInit(first.connection, context);
    if (first.isBootKey) hostKey = await rotateHostKey(first.connection);
  } finally {
    first.connection.close();
  }
  const address: Connection = { ...at, user: "root", hostKey };
  // sshd may still show the boot key for a moment after it was told to reload.
  const connection = await connectPatiently(address, context, 60, { hostKeyIsChanging: true });
  return { connection, address, docker: await waitForEngine(connection, context, ENGINE_SECONDS) };
}

/** Waits for a machine whose host key is pinned: it may be off for a resize. */
export async function reachMachine(address: Connection, context: Context): Promise<Machine> {
  const open = await connectPatiently(address, context, BOOT_SECONDS);
  // After a resize, which powers off and on, the connection of before is dead without knowing it.
  const alive = await withinSeconds(5, open.run("true")).catch(() => undefined);
  if (!alive) disconnect(address);
  const connection = await connectPatiently(address, context, BOOT_SECONDS);
  return { connection, address, docker: await waitForEngine(connection, context, ENGINE_SECONDS) };
}
