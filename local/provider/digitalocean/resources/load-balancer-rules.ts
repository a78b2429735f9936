import { items, members, text, type Values } from "../../framework/values";
import type { ApiClient } from "../client";
import { certificateByName, type ApiCertificate } from "./certificate";

export interface ApiForwardingRule {
  readonly entry_protocol: string;
  readonly entry_port: number;
  readonly target_protocol: string;
  readonly target_port: number;
  readonly certificate_id?: string;
  readonly tls_passthrough?: boolean;
}

export interface ApiDomain {
  readonly name: string;
  readonly is_managed?: boolean;
  readonly certificate_id?: string;
  readonly verification_error_reasons?: readonly string[] | null;
  readonly ssl_validation_error_reasons?: readonly string[] | null;
}

/**
 * The certificate's present ID. It is given by name, also as `certificateId`, as IDs change with each renewal.
 *
 * @throws {Error} when there is no such certificate
 */
async function certificateId(client: ApiClient, given: Values): Promise<string | undefined> {
  const name = text(given.certificateName) || text(given.certificateId);
  if (!name) {
    return undefined;
  }
  const found = await certificateByName(client, name);
  if (found || given.certificateName) {
    if (!found) {
      throw new Error(`certificate not found: ${name}`);
    }
    return found.id;
  }
  return (await client.get<{ certificate: ApiCertificate }>(`/certificates/${name}`)).certificate
    .id;
}

/** Both properties hold the certificate's name (P loadbalancer/loadbalancer.go: flattenForwardingRules). */
async function certificateNames(client: ApiClient, id: string | undefined): Promise<Values> {
  if (!id) {
    return {};
  }
  const { certificate } = await client.get<{ certificate: ApiCertificate }>(`/certificates/${id}`);
  return { certificateId: certificate.name, certificateName: certificate.name };
}

export const rulesToApi = (client: ApiClient, rules: unknown): Promise<ApiForwardingRule[]> =>
  Promise.all(
    items(rules)
      .map(members)
      .map(async (rule) => ({
        entry_protocol: text(rule.entryProtocol),
        entry_port: Number(rule.entryPort),
        target_protocol: text(rule.targetProtocol),
        target_port: Number(rule.targetPort),
        tls_passthrough: rule.tlsPassthrough === true,
        certificate_id: await certificateId(client, rule),
      })),
  );

export const rulesFromApi = (
  client: ApiClient,
  rules: readonly ApiForwardingRule[],
): Promise<Values[]> =>
  Promise.all(
    rules.map(async (rule) => ({
      entryProtocol: rule.entry_protocol,
      entryPort: rule.entry_port,
      targetProtocol: rule.target_protocol,
      targetPort: rule.target_port,
      tlsPassthrough: rule.tls_passthrough ?? false,
      ...(await certificateNames(client, rule.certificate_id)),
    })),
  );

export const domainsToApi = (client: ApiClient, domains: unknown): Promise<ApiDomain[]> =>
  Promise.all(
    items(domains)
      .map(members)
      .map(async (domain) => ({
        name: text(domain.name),
        is_managed: domain.isManaged === true,
        certificate_id: await certificateId(client, { certificateName: domain.certificateName }),
      })),
  );

export const domainsFromApi = (
  client: ApiClient,
  domains: readonly ApiDomain[],
): Promise<Values[]> =>
  Promise.all(
    domains.map(async (domain) => ({
      name: domain.name,
      isManaged: domain.is_managed ?? false,
      verificationErrorReasons: domain.verification_error_reasons ?? [],
      sslValidationErrorReasons: domain.ssl_validation_error_reasons ?? [],
      ...(await certificateNames(client, domain.certificate_id)),
    })),
  );
