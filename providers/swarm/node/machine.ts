import type Docker from "dockerode";
import { waitForEngine } from "../docker/engine";
import type { Context } from "../protocol/resource";
import type { JumpHost, SshConnection } from "../ssh/connection";
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

/** A machine that nobody has met. */
export interface Newcomer {
  readonly host: string;
  readonly port?: number | undefined;
  readonly bastion?: JumpHost | undefined;
  readonly bootHostKey: string;
}

/** A machine that has run its user data. */
export interface Met {
  readonly connection: SshConnection;
  readonly address: Connection;
}

/** The same with its Docker engine. */
export interface Machine extends Met {
  readonly docker: Docker;
}

/** Waits for a machine that nobody has met: it boots, runs its user data and gets its permanent host key. */
export async function meetMachine(newcomer: Newcomer, context: Context): Promise<Machine> {
  const met = await meet(newcomer, context);
  return { ...met, docker: await waitForEngine(met.connection, context, ENGINE_SECONDS) };
}

/** Waits for a machine whose host key is pinned: it may be off for a resize. */
export async function reachMachine(address: Connection, context: Context): Promise<Machine> {
  const connection = await reach(address, context);
  return { connection, address, docker: await waitForEngine(connection, context, ENGINE_SECONDS) };
}

/** `meetMachine` of one that need not have an engine. */
export async function meet(
  { host, port, bastion, bootHostKey }: Newcomer,
  context: Context,
): Promise<Met> {
  const at = addressOf({ host, ...(port !== undefined && { port }), bastion });
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
  return { connection, address };
}

/** `reachMachine` of one that need not have an engine. */
export async function reach(address: Connection, context: Context): Promise<SshConnection> {
  const open = await connectPatiently(address, context, BOOT_SECONDS);
  // After a resize, which powers off and on, the connection of before is dead without knowing it.
  const alive = await withinSeconds(5, open.run("true")).catch(() => undefined);
  if (!alive) disconnect(address);
  return connectPatiently(address, context, BOOT_SECONDS);
}
