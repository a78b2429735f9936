import { createPrivateKey, X509Certificate } from "node:crypto";
import { z } from "zod";
import { domainOf } from "../domains/model";
import { unprocessable } from "../errors";
import { parse } from "../input";
import type { Store } from "../store";
import type { CertificateRecord } from "./model";

const body = z.object({
  name: z.string({ error: "name is required" }).min(1, "name is required").max(255),
  type: z.enum(["custom", "lets_encrypt", ""]).nullish(),
  private_key: z.string().nullish(),
  leaf_certificate: z.string().nullish(),
  certificate_chain: z.string().nullish(),
  dns_names: z.array(z.string()).nullish(),
});

const dnsName = /^(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$/i;

const lines = (pem: string) => (pem === "" || pem.endsWith("\n") ? pem : `${pem}\n`);

function read<T>(what: string, make: () => T): T {
  try {
    return make();
  } catch {
    throw unprocessable(`${what} is not valid PEM`);
  }
}

type Parts = Pick<
  CertificateRecord,
  "name" | "type" | "dnsNames" | "keyPem" | "leafPem" | "chainPem" | "state"
>;

/**
 * Checks the body of a creation.
 *
 * @throws {ApiError} 422.
 */
export function readCertificate(store: Store, given: unknown, now: Date): Parts {
  const input = parse(body, given);
  if (store.certificates.find(({ name }) => name === input.name))
    throw unprocessable("The certificate name is already in use: choose another one");
  return (input.type || "custom") === "custom" ? custom(input, now) : letsEncrypt(store, input);
}

function custom(input: z.output<typeof body>, now: Date): Parts {
  const { private_key: keyPem, leaf_certificate: leafPem } = input;
  if (!keyPem) throw unprocessable("private_key is required");
  if (!leafPem) throw unprocessable("leaf_certificate is required");
  const chainPem = lines(input.certificate_chain ?? "");
  const key = read("private_key", () => createPrivateKey(keyPem));
  const leaf = read("leaf_certificate", () => new X509Certificate(leafPem));
  if (chainPem) read("certificate_chain", () => new X509Certificate(chainPem));
  if (!leaf.checkPrivateKey(key))
    throw unprocessable("private_key does not belong to leaf_certificate");
  if (Date.parse(leaf.validTo) <= now.getTime())
    throw unprocessable("leaf_certificate has expired");
  const names = (leaf.subjectAltName ?? "")
    .split(", ")
    .flatMap((each) => (each.startsWith("DNS:") ? [each.slice("DNS:".length)] : []));
  return {
    name: input.name,
    type: "custom",
    dnsNames: names,
    keyPem: lines(keyPem),
    leafPem: lines(leafPem),
    chainPem,
    state: "verified",
  };
}

function letsEncrypt(store: Store, input: z.output<typeof body>): Parts {
  const names = [...new Set((input.dns_names ?? []).map((name) => name.toLowerCase()))];
  if (names.length === 0) throw unprocessable("dns_names is required");
  for (const name of names) {
    if (!dnsName.test(name)) throw unprocessable(`dns_names: ${name} is not a valid domain name`);
    // DigitalOcean answers Let's Encrypt's challenge in its own DNS.
    if (!domainOf(store, name.replace(/^\*\./, "")))
      throw unprocessable(
        `dns_names: the domain of ${name} is not managed by DigitalOcean: add it to the account first`,
      );
  }
  return {
    name: input.name,
    type: "lets_encrypt",
    dnsNames: names,
    keyPem: undefined,
    leafPem: undefined,
    chainPem: "",
    state: "pending",
  };
}
