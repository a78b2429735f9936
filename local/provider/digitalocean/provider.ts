import type { ProviderType, ResourceType } from "../framework/provider";
import { text, type Values } from "../framework/values";
import { ApiClient } from "./client";
import { functions } from "./functions/index";
import { certificate } from "./resources/certificate";
import {
  containerRegistry,
  containerRegistryDockerCredentials,
} from "./resources/container-registry";
import { databaseCluster } from "./resources/database/cluster";
import { databasePostgresqlConfig, databaseValkeyConfig } from "./resources/database/config";
import { databaseConnectionPool } from "./resources/database/connection-pool";
import { databaseDb } from "./resources/database/db";
import { databaseFirewall } from "./resources/database/firewall";
import { databaseReplica } from "./resources/database/replica";
import { databaseUser } from "./resources/database/user";
import { dnsRecord, domain } from "./resources/domain";
import { droplet } from "./resources/droplet";
import { dropletAutoscale } from "./resources/droplet-autoscale";
import { firewall } from "./resources/firewall";
import { loadBalancer } from "./resources/load-balancer";
import { monitorAlert } from "./resources/monitor-alert";
import { project, projectResources } from "./resources/project";
import { reservedIp, reservedIpAssignment } from "./resources/reserved-ip";
import { spacesBucket } from "./resources/spaces-bucket";
import { spacesKey } from "./resources/spaces-key";
import { sshKey } from "./resources/ssh-key";
import { tag } from "./resources/tag";
import { uptimeAlert, uptimeCheck } from "./resources/uptime";
import { volume } from "./resources/volume";
import { volumeAttachment } from "./resources/volume-attachment";
import { vpc } from "./resources/vpc";
import { vpcNatGateway } from "./resources/vpc-nat-gateway";
import { vpcPeering } from "./resources/vpc-peering";

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
  "domain:Domain": domain,
  "dnsRecord:DnsRecord": dnsRecord,
  "tag:Tag": tag,
  "project:Project": project,
  "projectResources:ProjectResources": projectResources,
  "loadBalancer:LoadBalancer": loadBalancer,
  "certificate:Certificate": certificate,
  "databaseCluster:DatabaseCluster": databaseCluster,
  "databaseUser:DatabaseUser": databaseUser,
  "databaseDb:DatabaseDb": databaseDb,
  "databaseConnectionPool:DatabaseConnectionPool": databaseConnectionPool,
  "databaseFirewall:DatabaseFirewall": databaseFirewall,
  "databaseReplica:DatabaseReplica": databaseReplica,
  "databasePostgresqlConfig:DatabasePostgresqlConfig": databasePostgresqlConfig,
  "databaseValkeyConfig:DatabaseValkeyConfig": databaseValkeyConfig,
  "containerRegistry:ContainerRegistry": containerRegistry,
  "containerRegistryDockerCredentials:ContainerRegistryDockerCredentials":
    containerRegistryDockerCredentials,
  "monitorAlert:MonitorAlert": monitorAlert,
  "uptimeCheck:UptimeCheck": uptimeCheck,
  "uptimeAlert:UptimeAlert": uptimeAlert,
  "dropletAutoscale:DropletAutoscale": dropletAutoscale,
  "vpcPeering:VpcPeering": vpcPeering,
  "vpcNatGateway:VpcNatGateway": vpcNatGateway,
  "spacesBucket:SpacesBucket": spacesBucket,
  "spacesKey:SpacesKey": spacesKey,
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
      spaces: {
        accessId: text(config.spacesAccessId),
        secretKey: text(config.spacesSecretKey),
        endpoint: text(config.spacesEndpoint),
      },
      signal,
    }),
  resources: Object.fromEntries(
    Object.entries(types).map(([name, type]) => [`digitalocean:index/${name}`, type]),
  ),
  functions,
};
