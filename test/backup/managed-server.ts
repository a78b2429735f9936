/** PostgreSQL as DigitalOcean runs it: TLS only, and an administrator that is no superuser. */
import { writeFileSync } from "node:fs";
import * as path from "node:path";
import type { ManagedServer } from "../../components/backup/settings";
import { freePort } from "../../scripts/bench/free-port";
import { makeServerCertificate } from "../../scripts/bench/throwaway-certificates";
import type { Servers } from "./servers";

const PASSWORD = "it's a\\pass:word";

/** Has the tests' server take TLS at a port as well. */
export async function serveManaged(servers: Servers): Promise<ManagedServer> {
  const ca = makeServerCertificate(servers.data);
  const port = await freePort();
  writeFileSync(
    path.join(servers.data, "15/pg_hba.conf"),
    "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n",
  );
  servers.port = port;
  servers.restartPostgres({
    listen_addresses: "127.0.0.1",
    port: String(port),
    ssl: "on",
    ssl_cert_file: path.join(servers.data, "server.crt"),
    ssl_key_file: path.join(servers.data, "server.key"),
  });
  servers.sql(
    "postgres",
    `CREATE ROLE doadmin LOGIN CREATEDB CREATEROLE REPLICATION PASSWORD '${PASSWORD.replaceAll("'", "''")}';
     GRANT pg_monitor, pg_signal_backend TO doadmin; CREATE DATABASE defaultdb OWNER doadmin;
     CREATE ROLE shop LOGIN; CREATE ROLE reader LOGIN; CREATE DATABASE shop OWNER doadmin;
     REVOKE CONNECT ON DATABASE shop FROM PUBLIC; GRANT ALL ON DATABASE shop TO shop; GRANT CONNECT ON DATABASE shop TO reader`,
  );
  servers.sql("shop", "GRANT ALL ON SCHEMA public TO shop");
  return {
    kind: "managed",
    host: "127.0.0.1",
    port,
    ca,
    user: "doadmin",
    password: PASSWORD,
    adminDatabase: "defaultdb",
    databases: ["shop"],
    diskBytes: 2 ** 34,
  };
}
