/** What of an account a stack can take over, and how; what it cannot, said first. */
import { vpcFaults } from "../../../infra/rules/network";
import { volumeName } from "../../../infra/names";
import type { FoundAccount, FoundCluster, FoundDroplet, FoundRecord } from "./account";

/** One entry of `pulumi import --file`. https://www.pulumi.com/docs/iac/cli/commands/pulumi_import/ */
export interface ImportedResource {
  readonly type: string;
  /** Unique in the file. */
  readonly name: string;
  /** The program's name of it. */
  readonly logicalName: string;
  readonly id?: string;
  /** `name` of another entry. */
  readonly parent?: string;
  readonly component?: true;
}

export interface Adoption {
  /** What the stack file says under `archipelago:`. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly resources: readonly ImportedResource[];
  /** What stays as it is, because taking it over would replace it. */
  readonly notTaken: readonly string[];
  readonly taken: readonly string[];
  /** To know before `up`. */
  readonly beware: readonly string[];
}

/** PostgreSQL that a stack file may ask for. */
const POSTGRES_VERSION = "15";

/**
 * @param stack name of the stack to be.
 * @param droplet the server that runs the app now.
 */
export function planAdoption(
  stack: string,
  account: FoundAccount,
  droplet: FoundDroplet,
): Adoption {
  const taken: string[] = [];
  const beware: string[] = [];
  const region = droplet.region.slug;
  const notTaken = [
    `Droplet ${droplet.name}: another image, user data or key is another Droplet, and this one has none of ours. It goes on until its data is moved, then it is yours to delete`,
    ...otherVolumes(stack, account, droplet),
  ];
  const resources: ImportedResource[] = [];
  const vpc = account.vpcs.find(({ id }) => id === droplet.vpc_uuid);
  const vpcFits = vpc !== undefined && !vpc.default && vpcFaults(vpc.ip_range).length === 0;
  if (vpc !== undefined && vpcFits) {
    resources.push(component("archipelago:network:Network", "network"), {
      type: "digitalocean:index/vpc:Vpc",
      name: "vpc",
      logicalName: "network",
      id: vpc.id,
      parent: "network-component",
    });
    taken.push(`VPC ${vpc.name} ${vpc.ip_range}, which is called archipelago-${stack} then`);
  } else if (vpc !== undefined) {
    notTaken.push(
      vpc.default
        ? `VPC ${vpc.name}: the region's default one belongs to no stack`
        : `VPC ${vpc.name}: its range ${vpc.ip_range} is not one that a stack may have`,
    );
  }

  const database = databaseOf(account, droplet, vpcFits, { resources, taken, notTaken, beware });
  const records = recordsOf(account, droplet);
  const [front] = records;
  if (front) {
    resources.push(component("archipelago:ingress:Dns", "dns"));
    for (const record of records.filter(({ zone }) => zone === front.zone)) {
      const host = hostOf(record);
      resources.push({
        type: "digitalocean:index/dnsRecord:DnsRecord",
        name: `record-${host}`,
        logicalName: `dns-${host}`,
        id: `${record.zone},${record.id}`,
        parent: "dns-component",
      });
      taken.push(`A record ${host} → ${record.data}: \`up\` leads it to the stack's address`);
    }
    beware.push(
      `${records.map(hostOf).join(", ")} lead to the new stack as soon as \`up\` has made it: move the data first, or leave archipelago:domain out until then`,
    );
    const others = records.filter(({ zone }) => zone !== front.zone).map(hostOf);
    if (others.length > 0) notTaken.push(`A records ${others.join(", ")}: a stack has one zone`);
  }
  const ip = account.reservedIps.find((one) => one.droplet?.id === droplet.id);
  if (ip) {
    notTaken.push(
      `Reserved IP ${ip.ip}: it leads to ${droplet.name}, and to one Droplet at a time. Once the data is moved: unassign it there, set archipelago:floatingIp: { existing: ${ip.ip} }, and \`up\``,
    );
  }
  const hosts = records.filter(({ zone }) => zone === front?.zone).map(hostOf);
  return {
    config: {
      topology: "single-node",
      region,
      ...(vpcFits && { vpcCidr: vpc.ip_range }),
      nodes: { "manager-1": { size: droplet.size_slug } },
      ...(front && { domain: { name: hosts[0], zone: front.zone, dns: "existing" } }),
      ...(database && { database }),
      services: {
        web: {
          image: "nginx:stable-alpine",
          port: 80,
          routes: ["/", ...hosts.slice(1).map((host) => `${host}/`)],
        },
      },
    },
    resources,
    taken,
    notTaken,
    beware: [
      "services: has a placeholder: npm run adopt -- compose turns the app's compose file into it",
      ...beware,
    ],
  };
}

const component = (type: string, logicalName: string): ImportedResource => ({
  type,
  name: `${logicalName}-component`,
  logicalName,
  component: true,
});

interface Findings {
  readonly resources: ImportedResource[];
  readonly taken: string[];
  readonly notTaken: string[];
  readonly beware: string[];
}

/** The PostgreSQL of the same private network, where its version is one that a stack may have. */
function databaseOf(
  { clusters }: FoundAccount,
  { vpc_uuid: network }: FoundDroplet,
  vpcFits: boolean,
  { resources, taken, notTaken, beware }: Findings,
): Record<string, unknown> | undefined {
  let chosen: FoundCluster | undefined;
  for (const cluster of clusters.filter((one) => one.private_network_uuid === network)) {
    const name = `Database Cluster ${cluster.name} (${cluster.engine} ${cluster.version})`;
    if (cluster.engine !== "pg") notTaken.push(`${name}: a stack has a PostgreSQL`);
    else if (!vpcFits) notTaken.push(`${name}: it would be in another VPC than the stack's nodes`);
    else if (cluster.version !== POSTGRES_VERSION) {
      notTaken.push(
        `${name}: a stack has PostgreSQL ${POSTGRES_VERSION}; npm run migrate moves the data`,
      );
    } else if (chosen) notTaken.push(`${name}: a stack has one PostgreSQL`);
    else chosen = cluster;
  }
  if (chosen === undefined) return undefined;
  resources.push(
    component("archipelago:database:ManagedPostgres", "postgres"),
    {
      type: "archipelago:database:ManagedDatabase",
      name: "postgres-server",
      logicalName: "postgres",
      parent: "postgres-component",
      component: true,
    },
    {
      type: "digitalocean:index/databaseCluster:DatabaseCluster",
      name: "cluster",
      logicalName: "postgres",
      id: chosen.id,
      parent: "postgres-server",
    },
  );
  taken.push(
    `Database Cluster ${chosen.name} (PostgreSQL ${chosen.version}), with all that is in it`,
  );
  beware.push(
    `\`up\` lets only the stack's own nodes reach ${chosen.name}: the old server is cut off from it at that moment. The app's database and user are called app there: rename them, or restore into it, before`,
  );
  return { engine: "managed", size: chosen.size, nodes: chosen.num_nodes };
}

/** A records that lead to the Droplet, or to a Reserved IP that does. */
function recordsOf({ records, reservedIps }: FoundAccount, droplet: FoundDroplet): FoundRecord[] {
  const own = droplet.networks.v4
    .filter(({ type }) => type === "public")
    .map((one) => one.ip_address);
  const reserved = reservedIps.filter((one) => one.droplet?.id === droplet.id).map(({ ip }) => ip);
  return records.filter(({ data }) => [...own, ...reserved].includes(data));
}

const hostOf = ({ name, zone }: FoundRecord) => (name === "@" ? zone : `${name}.${zone}`);

function otherVolumes(stack: string, { volumes }: FoundAccount, { id }: FoundDroplet): string[] {
  return volumes
    .filter((volume) => volume.droplet_ids?.includes(id))
    .map(
      ({ name }) =>
        `Volume ${name}: it is in use there, and nodes mount the one called ${volumeName(stack)}. Copy its files into that`,
    );
}
