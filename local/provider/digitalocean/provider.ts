import type { ProviderType, ResourceType } from "../framework/provider";
import { text, type Values } from "../framework/values";
import { ApiClient } from "./client";
import { functions } from "./functions";
import { dnsRecord, domain } from "./resources/domain";
import { droplet } from "./resources/droplet";
import { firewall } from "./resources/firewall";
import { loadBalancer } from "./resources/load-balancer";
import { project, projectResources } from "./resources/project";
import { reservedIp, reservedIpAssignment } from "./resources/reserved-ip";
import { sshKey } from "./resources/ssh-key";
import { tag } from "./resources/tag";
import { volume } from "./resources/volume";
import { volumeAttachment } from "./resources/volume-attachment";
import { vpc } from "./resources/vpc";

/** The version whose SDK (`@pulumi/digitalocean`) the program uses. */
export const VERSION = "4.80.1";

const types: Readonly<Record<string, ResourceType<ApiClient>>> = {
  "vpc:Vpc": vpc,
  "firewall:Firewall": firewall,
  "sshKey:SshKey": sshKey,
  "droplet:Droplet": droplet,
  "volume:Volume": volume,
  "volumeAttachment:VolumeAttachment": volumeAttachment,
  "reservedIp:ReservedIp": reservedIp,
  "reservedIpAssignment:ReservedIpAssignment": reservedIpAssignment,
  "loadBalancer:LoadBalancer": loadBalancer,
  "domain:Domain": domain,
  "dnsRecord:DnsRecord": dnsRecord,
  "tag:Tag": tag,
  "project:Project": project,
  "projectResources:ProjectResources": projectResources,
};

/** A setting, which arrives as text, as a number. */
const numeric = (value: unknown, otherwise: number): number =>
  text(value) === "" || Number.isNaN(Number(value)) ? otherwise : Number(value);

/** Stands in for the provider plugin `digitalocean`: the resource types and functions this project uses. */
export const digitalocean: ProviderType<ApiClient> = {
  name: "digitalocean",
  version: VERSION,
  configure: (config: Values, signal) =>
    new ApiClient({
      endpoint: text(config.apiEndpoint),
      token: text(config.token),
      retryMax: numeric(config.httpRetryMax, 4),
      retryWaitMinSeconds: numeric(config.httpRetryWaitMin, 1),
      retryWaitMaxSeconds: numeric(config.httpRetryWaitMax, 30),
      requestsPerSecond: numeric(config.requestsPerSecond, 0),
      signal,
    }),
  resources: Object.fromEntries(
    Object.entries(types).map(([name, type]) => [`digitalocean:index/${name}`, type]),
  ),
  functions,
};
