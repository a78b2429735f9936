import "reflect-metadata";
import { X509Certificate, createHash, createPrivateKey, webcrypto } from "node:crypto";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";
import { readIfThere, writeWhole } from "./files";
import type { Validity } from "./schedule";

/** One name's key and certificate chain, as HAProxy reads it: one PEM. */
export interface Certificate extends Validity {
  readonly name: string;
  readonly pem: string;
  /** First 16 hex digits of the PEM's SHA-256. */
  readonly fingerprint: string;
  /** 0 to 1, the same for every reading of this certificate. */
  readonly jitter: number;
  /** False for a self-signed placeholder. */
  readonly issued: boolean;
}

const PLACEHOLDER_DAYS = 3650;
const PLACEHOLDER_ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/**
 * Checks and describes a PEM before HAProxy gets to see it.
 *
 * @throws {Error} when there is no certificate or key in it, they do not belong together, or the name is not covered.
 */
export function readCertificate(name: string, pem: string, issued: boolean): Certificate {
  const leaf = new X509Certificate(pem.slice(pem.indexOf("-----BEGIN CERTIFICATE-----")));
  if (!leaf.checkPrivateKey(createPrivateKey(pem))) {
    throw new Error(`the certificate for ${name} does not belong to its private key`);
  }
  if (!leaf.checkHost(name)) {
    throw new Error(`the certificate does not cover ${name}: ${leaf.subjectAltName ?? "no names"}`);
  }
  const digest = createHash("sha256").update(pem).digest();
  return {
    name,
    pem,
    issued,
    fingerprint: digest.toString("hex").slice(0, 16),
    jitter: digest.readUInt32BE(0) / 2 ** 32,
    notBefore: Date.parse(leaf.validFrom),
    notAfter: Date.parse(leaf.validTo),
  };
}

/** A self-signed certificate, so that HTTPS answers before the first issuance. */
export async function placeholderPem(name: string): Promise<string> {
  const crypto = webcrypto;
  const keys = await crypto.subtle.generateKey(PLACEHOLDER_ALGORITHM, true, ["sign", "verify"]);
  const now = Date.now();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: `CN=${name.slice(0, 64)}`,
      notBefore: new Date(now - 3_600_000),
      notAfter: new Date(now + PLACEHOLDER_DAYS * 86_400_000),
      signingAlgorithm: PLACEHOLDER_ALGORITHM,
      keys,
      extensions: [new x509.SubjectAlternativeNameExtension([{ type: "dns", value: name }])],
    },
    crypto,
  );
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey("pkcs8", keys.privateKey));
  const key = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
  return `${key.export({ format: "pem", type: "pkcs8" }).toString()}${certificate.toString("pem")}\n`;
}

/** Certificates on the node's disk: they outlive tasks and reboots. */
export class CertificateStore {
  constructor(private readonly dataDir: string) {}

  /** The issued certificate of a name; a damaged file counts as none. */
  issued(name: string): Certificate | undefined {
    const pem = readIfThere(this.path("certificates", name));
    if (pem === undefined) return undefined;
    try {
      return readCertificate(name, pem, true);
    } catch {
      return undefined;
    }
  }

  /** @throws {Error} when the PEM is not a usable certificate for the name; nothing is kept then. */
  keep(name: string, pem: string): Certificate {
    const certificate = readCertificate(name, pem, true);
    writeWhole(this.path("certificates", name), pem, 0o600);
    return certificate;
  }

  /** The name's placeholder, made once. */
  async placeholder(name: string): Promise<Certificate> {
    const path = this.path("placeholders", name);
    const known = readIfThere(path);
    if (known !== undefined) return readCertificate(name, known, false);
    const pem = await placeholderPem(name);
    writeWhole(path, pem, 0o600);
    return readCertificate(name, pem, false);
  }

  private path(kind: string, name: string) {
    return join(this.dataDir, kind, `${name}.pem`);
  }
}

/** Lays the PEMs where HAProxy looks: `certs/<name>.pem`, and the first also as the answer to unknown names. */
export function publishCertificates(runDir: string, certificates: readonly Certificate[]): void {
  const first = certificates[0];
  if (!first) return;
  const directory = join(runDir, "certs");
  for (const { name, pem } of certificates) writeWhole(join(directory, `${name}.pem`), pem, 0o600);
  writeWhole(join(runDir, "default.pem"), first.pem, 0o600);
  const wanted = new Set(certificates.map(({ name }) => `${name}.pem`));
  for (const file of readdirSync(directory)) {
    if (!wanted.has(file)) rmSync(join(directory, file));
  }
}
