import { z } from "zod";
import { unprocessable } from "../errors";
import type { Store } from "../store";

export interface ForwardingRule {
  readonly entryProtocol: "http" | "https" | "http2" | "tcp";
  readonly entryPort: number;
  readonly targetProtocol: "http" | "https" | "http2" | "tcp";
  readonly targetPort: number;
  /** What ends TLS; undefined for rules that do not. */
  readonly certificateId: string | undefined;
  readonly tlsPassthrough: boolean;
}

const port = z.number().int().min(1).max(65_535);

const protocol = z.enum(["http", "https", "http2", "tcp"], {
  error:
    "must be http, https, http2 or tcp: the local DigitalOcean's Load Balancers carry no udp and no http3",
});

export const rulesInput = z.object({
  forwarding_rules: z
    .array(
      z.object({
        entry_protocol: protocol,
        entry_port: port,
        target_protocol: protocol,
        target_port: port,
        certificate_id: z.string().nullish(),
        tls_passthrough: z.boolean().nullish(),
      }),
    )
    .min(1, "a load balancer must have at least one forwarding rule"),
});

const overTls = (name: string) => name === "https" || name === "http2";

function checkRule(store: Store, rule: ForwardingRule): void {
  const { entryProtocol, targetProtocol, certificateId, tlsPassthrough } = rule;
  if ((entryProtocol === "tcp") !== (targetProtocol === "tcp"))
    throw unprocessable("the tcp protocol can only be forwarded to tcp");
  if (tlsPassthrough) {
    if (certificateId) throw unprocessable("tls_passthrough and certificate_id exclude each other");
    if (!overTls(entryProtocol) || !overTls(targetProtocol))
      throw unprocessable("tls_passthrough needs https or http2 on both sides");
  } else if (overTls(entryProtocol)) {
    if (!certificateId)
      throw unprocessable(
        `certificate_id is required for the ${entryProtocol} protocol, or tls_passthrough`,
      );
    const certificate = store.certificates.get(certificateId);
    if (!certificate) throw unprocessable(`certificate_id: ${certificateId} does not exist`);
    if (certificate.state !== "verified")
      throw unprocessable(`certificate_id: ${certificateId} is not verified yet`);
  } else if (certificateId) {
    throw unprocessable("certificate_id is only for the https and http2 protocols");
  }
}

/** @throws {ApiError} 422. */
export function readRules(store: Store, input: z.output<typeof rulesInput>): ForwardingRule[] {
  const rules = input.forwarding_rules.map((each) => ({
    entryProtocol: each.entry_protocol,
    entryPort: each.entry_port,
    targetProtocol: each.target_protocol,
    targetPort: each.target_port,
    certificateId: each.certificate_id || undefined,
    tlsPassthrough: each.tls_passthrough ?? false,
  }));
  if (new Set(rules.map(({ entryPort }) => entryPort)).size < rules.length)
    throw unprocessable("forwarding rules must not have duplicate entry ports");
  for (const rule of rules) checkRule(store, rule);
  return rules;
}

export const ruleView = (rule: ForwardingRule) => ({
  entry_protocol: rule.entryProtocol,
  entry_port: rule.entryPort,
  target_protocol: rule.targetProtocol,
  target_port: rule.targetPort,
  certificate_id: rule.certificateId ?? "",
  tls_passthrough: rule.tlsPassthrough,
});
