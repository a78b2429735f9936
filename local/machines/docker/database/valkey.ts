import { createHash } from "node:crypto";
import type { DatabaseSpec } from "../../machines";
import { execOrThrow } from "../engine";
import { archive } from "../files";
import type { DatabaseEngine } from "./engine";

const CONFIG_DIR = "/etc/archipelago/database";
const DATA_DIR = "/var/lib/redis";
/** Share of the memory that data may take; the rest is for connections and for writing to disk. */
const DATA_SHARE = 0.7;

/** Valkey, as Debian's Redis 7.0, which speaks the same protocol; behind TLS. */
export const valkey: DatabaseEngine = {
  dataDir: DATA_DIR,
  // It writes everything to disk before it ends.
  stopSignal: "SIGTERM",
  command: () => ["sh", `${CONFIG_DIR}/start`],
  check: () => undefined,
  files: (database) =>
    [
      { name: "start", content: START },
      { name: "valkey.conf", content: serverConfig(database) },
      { name: "users.acl", content: users(database) },
      { name: "server.crt", content: database.tls.certificatePem },
      { name: "server.key", content: database.tls.keyPem },
    ].map((file) => ({ ...file, name: `${CONFIG_DIR.slice(1)}/${file.name}`, mode: 0o600 })),
  async load(container, _database, files) {
    await container.putArchive(await archive(files), { path: "/" });
    await container.restart({ t: 30 });
  },
  async ready(container, { name }) {
    await execOrThrow(container, `start database ${name}`, ["sh", "-c", UNTIL_READY]);
  },
  provision: () => Promise.resolve(),
};

const START = `set -eu
chown -R redis:redis ${CONFIG_DIR}
chown redis:redis ${DATA_DIR}
exec setpriv --reuid=redis --regid=redis --init-groups redis-server ${CONFIG_DIR}/valkey.conf
`;

/** It answers, be it only that it wants a password; not while it loads its data. */
const UNTIL_READY = `
for attempt in $(seq 300); do
  case "$(redis-cli -s /tmp/valkey.sock ping 2>&1)" in NOAUTH*|PONG*) exit 0 ;; esac
  sleep 0.1
done
echo "it did not answer within 30 seconds" >&2
exit 1`;

function serverConfig({ port, memoryMib }: DatabaseSpec): string {
  return [
    "bind 0.0.0.0",
    "protected-mode no",
    "port 0",
    `tls-port ${port}`,
    `tls-cert-file ${CONFIG_DIR}/server.crt`,
    `tls-key-file ${CONFIG_DIR}/server.key`,
    "tls-auth-clients no",
    'tls-protocols "TLSv1.2 TLSv1.3"',
    "unixsocket /tmp/valkey.sock",
    "unixsocketperm 700",
    `aclfile ${CONFIG_DIR}/users.acl`,
    `dir ${DATA_DIR}`,
    // DigitalOcean's defaults: written to disk every ten minutes and at the end, and nothing is evicted.
    "save 600 1",
    `maxmemory ${Math.round(memoryMib * DATA_SHARE)}mb`,
    "maxmemory-policy noeviction",
    "",
  ].join("\n");
}

/** Redis' access list: passwords as digests, and no command that administers the server. */
function users({ users: wanted }: DatabaseSpec): string {
  const lines = wanted.map(({ name, password }) => {
    const digest = createHash("sha256").update(password).digest("hex");
    return `user ${name} on #${digest} ~* &* +@all -@admin`;
  });
  if (!wanted.some(({ name }) => name === "default")) lines.push("user default off");
  return `${lines.join("\n")}\n`;
}
