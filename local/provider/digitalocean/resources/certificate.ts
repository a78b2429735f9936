import type { CheckFailure } from "../../framework/check";
import type { ResourceType } from "../../framework/provider";
import { set, string } from "../../framework/schema";
import { isZero, text, texts, type Values } from "../../framework/values";
import { hasStatus, type ApiClient } from "../client";
import { hashed } from "../hashed";
import { until } from "../wait";

export interface ApiCertificate {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly state: string;
  readonly dns_names: readonly string[] | null;
  readonly not_after: string;
  readonly sha1_fingerprint: string;
}

/** How long a certificate may take to be let go by its Load Balancer (P certificate/resource_certificate.go). */
const RELEASE_MS = 15 * 60 * 1000;

/** Let's Encrypt certificates change their ID with each renewal; only their name stays. */
export async function certificateByName(
  client: ApiClient,
  name: string,
): Promise<ApiCertificate | undefined> {
  const found = await client.all<ApiCertificate>(
    `/certificates?name=${encodeURIComponent(name)}`,
    "certificates",
  );
  return found.find((certificate) => certificate.name === name);
}

export const certificateState = (certificate: ApiCertificate): Values => ({
  name: certificate.name,
  uuid: certificate.id,
  type: certificate.type,
  state: certificate.state,
  notAfter: certificate.not_after,
  sha1Fingerprint: certificate.sha1_fingerprint,
  domains: (certificate.dns_names ?? []).filter((domain) => domain !== ""),
});

const existing = (certificate: ApiCertificate) => ({
  id: certificate.name,
  state: certificateState(certificate),
});

const NEEDED: Readonly<Record<string, readonly string[]>> = {
  custom: ["privateKey", "leafCertificate"],
  lets_encrypt: ["domains"],
};

function faults(inputs: Values): CheckFailure[] {
  const type = text(inputs.type);
  const needed = NEEDED[type];
  if (!needed) {
    const reason = `expected type to be one of ["custom" "lets_encrypt"], got ${type}`;
    return [{ property: "type", reason }];
  }
  return needed
    .filter((property) => isZero(inputs[property]))
    .map((property) => ({
      property,
      reason: `\`${property}\` is required for when type is \`${type}\``,
    }));
}

/** A certificate for Load Balancers: one's own or Let's Encrypt's. Its ID is its name. */
export const certificate: ResourceType<ApiClient> = {
  inputs: {
    name: string({ replace: true }),
    type: string({ replace: true, default: "custom" }),
    // A custom certificate's domains are read from it.
    domains: set(string(), { replace: true, same: (_, __, olds) => olds.type === "custom" }),
    privateKey: string({ replace: true, secret: true, state: hashed }),
    leafCertificate: string({ replace: true, state: hashed }),
    certificateChain: string({ replace: true, state: hashed }),
  },
  outputs: ["uuid", "state", "notAfter", "sha1Fingerprint"],
  autoname: true,
  validate: faults,
  async create(client, inputs, creation) {
    const made = await client.post<{ certificate: ApiCertificate }>("/certificates", {
      name: inputs.name,
      type: inputs.type,
      ...(inputs.type === "lets_encrypt"
        ? { dns_names: texts(inputs.domains) }
        : {
            private_key: inputs.privateKey,
            leaf_certificate: inputs.leafCertificate,
            certificate_chain: inputs.certificateChain,
          }),
    });
    const { id, name } = made.certificate;
    creation.exists(name, { uuid: id });
    return existing(
      await until(client, `Certificate ${name} to be verified`, async () => {
        const { certificate: now } = await client.get<{ certificate: ApiCertificate }>(
          `/certificates/${id}`,
        );
        if (now.state !== "pending" && now.state !== "verified") {
          throw new Error(`Certificate ${name} is in state ${now.state}`);
        }
        return now.state === "verified" ? now : undefined;
      }),
    );
  },
  async read(client, id) {
    const found = await certificateByName(client, id);
    return found && existing(found);
  },
  async delete(client, id) {
    const found = await certificateByName(client, id);
    if (!found) {
      return;
    }
    const deadline = Date.now() + RELEASE_MS;
    await until(client, `Certificate ${id} to be out of use`, async () => {
      try {
        await client.remove(`/certificates/${found.id}`);
        return true;
      } catch (error) {
        if (hasStatus(error, 403) && Date.now() < deadline) {
          return undefined;
        }
        throw error;
      }
    });
  },
};
