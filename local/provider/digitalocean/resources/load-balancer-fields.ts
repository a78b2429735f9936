import {
  boolean,
  list,
  lowerCase,
  map,
  number,
  object,
  set,
  string,
  type Fields,
} from "../../framework/schema";
import { text, type Values } from "../../framework/values";

/** Sizes of the time before `sizeUnit`, and the nodes they stand for. */
const NODES_OF_SIZE: Readonly<Record<string, number>> = {
  "lb-small": 1,
  "lb-medium": 3,
  "lb-large": 6,
};

const sameIgnoringCase = (old: unknown, given: unknown): boolean =>
  text(old).toLowerCase() === text(given).toLowerCase();

const sameSize = (old: unknown, given: unknown, olds: Values): boolean =>
  olds.sizeUnit === undefined || olds.sizeUnit === null
    ? old === given
    : NODES_OF_SIZE[text(given)] === olds.sizeUnit;

/** A rule's certificate counts by ID or name, whichever is there (P loadbalancer.go: hashForwardingRules). */
const ruleIdentity = (rule: Values): Values => ({
  ...rule,
  certificateId: rule.certificateId ?? rule.certificateName,
  certificateName: undefined,
});

/** DigitalOcean finds a managed domain's certificate itself. */
const domainIdentity = (domain: Values): Values =>
  domain.isManaged === true ? { ...domain, certificateName: undefined } : domain;

const computed = { computed: true } as const;
const off = { default: false } as const;

/** Inputs of `LoadBalancer` (P loadbalancer/resource_loadbalancer.go). */
export const loadBalancerFields: Fields = {
  name: string(),
  region: string({ replace: true, state: lowerCase }),
  type: string({ replace: true, computed: true, same: sameIgnoringCase }),
  network: string({ replace: true }),
  networkStack: string({ replace: true }),
  vpcUuid: string({ replace: true, computed: true }),
  projectId: string(computed),
  size: string({ same: sameSize }),
  sizeUnit: number(computed),
  algorithm: string({ default: "round_robin" }),
  forwardingRules: set(
    object(
      {
        entryProtocol: string({ required: true }),
        entryPort: number({ required: true }),
        targetProtocol: string({ required: true }),
        targetPort: number({ required: true }),
        certificateId: string(computed),
        certificateName: string(computed),
        tlsPassthrough: boolean(off),
      },
      { identity: ruleIdentity },
    ),
  ),
  healthcheck: object(
    {
      protocol: string({ required: true }),
      port: number({ required: true }),
      path: string(),
      checkIntervalSeconds: number({ default: 10 }),
      responseTimeoutSeconds: number({ default: 5 }),
      unhealthyThreshold: number({ default: 3 }),
      healthyThreshold: number({ default: 5 }),
    },
    computed,
  ),
  stickySessions: object(
    { type: string({ default: "none" }), cookieName: string(), cookieTtlSeconds: number() },
    computed,
  ),
  dropletIds: set(number(), computed),
  dropletTag: string({ same: sameIgnoringCase }),
  redirectHttpToHttps: boolean(off),
  enableProxyProtocol: boolean(off),
  enableBackendKeepalive: boolean(off),
  disableLetsEncryptDnsRecords: boolean(off),
  httpIdleTimeoutSeconds: number(computed),
  firewall: object({ allows: list(string()), denies: list(string()) }, computed),
  domains: set(
    object(
      {
        name: string({ required: true }),
        isManaged: boolean(off),
        certificateId: string({ readOnly: true }),
        certificateName: string(computed),
        sslValidationErrorReasons: list(string(), { readOnly: true }),
        verificationErrorReasons: list(string(), { readOnly: true }),
      },
      { identity: domainIdentity },
    ),
    computed,
  ),
  glbSettings: object(
    {
      targetProtocol: string({ required: true }),
      targetPort: number({ required: true }),
      regionPriorities: map(number()),
      failoverThreshold: number(),
      cdn: object({ isEnabled: boolean(off) }),
    },
    computed,
  ),
  targetLoadBalancerIds: set(string(), computed),
  tlsCipherPolicy: string({ default: "DEFAULT" }),
};
