/** Authorities and certificates for servers that tests and benchmarks throw away. */
import { spawnSync } from "node:child_process";
import { chmodSync, readFileSync } from "node:fs";
import * as path from "node:path";

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** @returns its certificate, PEM. @param file where that is put, and its key beside it. */
export function makeAuthority(file: string): string {
  const subject = ["-subj", `/CN=${path.basename(file)}`];
  openssl(["req", "-x509", ...KEY, ...subject, "-keyout", `${file}.key`, "-out", file]);
  return readFileSync(file, "utf8");
}

/** An authority, and `server.crt` and `server.key` of it, which PostgreSQL may read. @returns the authority's certificate, PEM. */
export function makeServerCertificate(directory: string): string {
  const [ca, crt, key, csr] = ["ca.crt", "server.crt", "server.key", "server.csr"].map((name) =>
    path.join(directory, name),
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
