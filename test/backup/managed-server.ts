/** PostgreSQL as DigitalOcean runs it: TLS only, and an administrator that is no superuser. */
import { spawnSync } from "node:child_process";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import type { ManagedServer } from "../../components/backup/settings";
import { freePort } from "../../scripts/bench/free-port";
import type { Servers } from "./servers";

const PASSWORD = "it's a\\pass:word";

/** Has the tests' server take TLS at a port as well. */
export async function serveManaged(servers: Servers): Promise<ManagedServer> {
  const ca = makeCertificates(servers);
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

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** @returns its certificate, PEM. @param file where that is put, and its key beside it. */
export function makeAuthority(file: string): string {
  openssl([
    "req",
    "-x509",
    ...KEY,
    "-subj",
    `/CN=${path.basename(file)}`,
    "-keyout",
    `${file}.key`,
    "-out",
    file,
  ]);
  return readFileSync(file, "utf8");
}

/** An authority and the server's certificate of it, in the server's directory. @returns the authority's, PEM. */
function makeCertificates({ data }: Servers): string {
  const [ca, crt, key, csr] = ["ca.crt", "server.crt", "server.key", "server.csr"].map((name) =>
    path.join(data, name),
  ) as [string, string, string, string];
  const authority = makeAuthority(ca);
  openssl(["req", ...KEY, "-subj", "/CN=server", "-keyout", key, "-out", csr]);
  const signed = ["-CA", ca, "-CAkey", `${ca}.key`, "-CAcreateserial"];
  openssl(["x509", "-req", "-in", csr, ...signed, "-out", crt]);
  chmodSync(key, 0o600);
  if (process.getuid?.() === 0) spawnSync("chown", ["nobody", key, crt]);
  return authority;
}

function openssl(words: readonly string[]): void {
  const { status, stderr } = spawnSync("openssl", words, { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
}
