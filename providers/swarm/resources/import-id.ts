import { fingerprint } from "../ssh/host-keys";
import { HostKeyMismatch, SshConnection } from "../ssh/connection";

/** Where a swarm that exists is asked, and for what. */
export interface ImportId {
  /** IPv4 address or name of a manager. */
  readonly host: string;
  readonly port: number;
  /** Of the manager's host key: `SHA256:…`. */
  readonly fingerprint: string | undefined;
  /** Name or swarm node ID. */
  readonly node: string | undefined;
}

/** A fingerprint may hold slashes, so that its length tells where it ends. */
const FORMAT =
  /^([^\s:#/]+)(?::(\d{1,5}))?(?:#(SHA256:[A-Za-z0-9+/]{43}))?(?:\/([A-Za-z0-9][A-Za-z0-9-]*))?$/;

const CONNECT_SECONDS = 15;

/**
 * @param what `a cluster`, or `a node`, whose ID names it at the end.
 * @throws {Error} when it is no such ID.
 */
export function parseImportId(id: string, what: "a cluster" | "a node"): ImportId {
  const [, host, port = "22", fingerprint, node] = FORMAT.exec(id) ?? [];
  if (host === undefined || (what === "a node") !== (node !== undefined)) {
    const format = `<manager>[:<port>]#<fingerprint of its host key>${what === "a node" ? "/<node>" : ""}`;
    const name = what === "a node" ? "/shop-worker-1" : "";
    throw new Error(
      `the ID to import ${what} by must be ${format}, such as 203.0.113.7#SHA256:…${name}, got ${JSON.stringify(id)}`,
    );
  }
  return { host, port: Number(port), fingerprint, node };
}

/**
 * Logs in to the manager. Nobody remembers its host key, so that the ID has to vouch for it.
 *
 * @returns the connection, and the host key (an SSH key blob) that it was verified by.
 * @throws {Error} when it does not answer, shows another key, or lets nobody in; without a fingerprint, with the one that
 * it shows.
 */
export async function connectTo({
  host,
  port,
  ...id
}: ImportId): Promise<{ connection: SshConnection; presented: Buffer }> {
  let presented: Buffer | undefined;
  const isHostKey = (key: Buffer) => {
    presented = key;
    return fingerprint(key) === id.fingerprint;
  };
  try {
    const connection = await SshConnection.open({ host, port }, isHostKey, CONNECT_SECONDS);
    if (presented === undefined) throw new Error(`${host} showed no host key`);
    return { connection, presented };
  } catch (error) {
    if (!(error instanceof HostKeyMismatch)) {
      throw new Error(`${host} cannot be asked: ${(error as Error).message}`, { cause: error });
    }
    const shown = fingerprint(error.presented);
    if (id.fingerprint !== undefined) throw error;
    const address = port === 22 ? host : `${host}:${port}`;
    throw new Error(
      `${host} shows host key ${shown}, and nothing says that it is the right one: compare it with what ` +
        '"ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub" prints in the console of the Droplet, then import ' +
        `${address}#${shown}${id.node === undefined ? "" : `/${id.node}`}`,
      { cause: error },
    );
  }
}
