import "reflect-metadata";
import { createPrivateKey, randomBytes, webcrypto, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import * as x509 from "@peculiar/x509";
import type { Store } from "./store";

/** What the authority signs with, kept in the API's state. */
interface Kept {
  /** PKCS #8, PEM. */
  readonly keyPem: string;
  readonly certificatePem: string;
}

export interface Issued {
  /** PKCS #8, PEM. */
  readonly keyPem: string;
  /** PEM of the certificate alone. */
  readonly leafPem: string;
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const setting = "authority";
const dayMilliseconds = 86_400_000;
const lifetimeDays = 3650;

const serialNumber = () => `01${randomBytes(15).toString("hex")}`;

async function newKeys() {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const exported = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return { keys, keyPem: x509.PemConverter.encode(exported, "PRIVATE KEY") };
}

/** PEM of the local authority's certificate, which Droplets trust; undefined before the first start. */
export const caPem = (store: Store) => store.setting<Kept>(setting)?.certificatePem;

/**
 * The certificate authority of this local DigitalOcean. It stands for Let's Encrypt, for the one that signs managed
 * databases' certificates, and for the one behind the container registry's.
 */
export class Authority {
  private constructor(private readonly kept: Kept) {}

  /** The state's own authority; made at the first start. */
  static async open(store: Store): Promise<Authority> {
    const found = store.setting<Kept>(setting);
    if (found && Date.parse(new X509Certificate(found.certificatePem).validTo) > Date.now())
      return new Authority(found);
    const { keys, keyPem } = await newKeys();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned(
      {
        name: "CN=Archipelago local authority",
        serialNumber: serialNumber(),
        notBefore: new Date(Date.now() - dayMilliseconds),
        notAfter: new Date(Date.now() + lifetimeDays * dayMilliseconds),
        signingAlgorithm: algorithm,
        keys,
        extensions: [
          new x509.BasicConstraintsExtension(true, 0, true),
          new x509.KeyUsagesExtension(
            x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
            true,
          ),
          await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
        ],
      },
      webcrypto,
    );
    const kept = { keyPem, certificatePem: `${certificate.toString("pem")}\n` };
    store.transaction(() => store.setSetting(setting, kept));
    return new Authority(kept);
  }

  get pem(): string {
    return this.kept.certificatePem;
  }

  /**
   * A server's certificate with a new key.
   *
   * @param names DNS names (`*.example.com` too) and IPv4 addresses; the first is the common name.
   */
  async issue(names: readonly string[], days: number): Promise<Issued> {
    const [{ keys, keyPem }, signingKey] = await Promise.all([
      newKeys(),
      webcrypto.subtle.importKey(
        "pkcs8",
        createPrivateKey(this.kept.keyPem).export({ type: "pkcs8", format: "der" }),
        algorithm,
        false,
        ["sign"],
      ),
    ]);
    const issuer = new x509.X509Certificate(this.kept.certificatePem);
    const certificate = await x509.X509CertificateGenerator.create(
      {
        subject: `CN=${(names[0] ?? "").slice(0, 64)}`,
        issuer: issuer.subject,
        serialNumber: serialNumber(),
        notBefore: new Date(Date.now() - dayMilliseconds),
        notAfter: new Date(Date.now() + days * dayMilliseconds),
        signingAlgorithm: algorithm,
        publicKey: keys.publicKey,
        signingKey,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
          new x509.SubjectAlternativeNameExtension(
            names.map((value) => ({ type: isIP(value) ? "ip" : "dns", value })),
          ),
          await x509.AuthorityKeyIdentifierExtension.create(issuer, false, webcrypto),
        ],
      },
      webcrypto,
    );
    return { keyPem: `${keyPem}\n`, leafPem: `${certificate.toString("pem")}\n` };
  }
}
