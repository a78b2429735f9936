/** What the local DigitalOcean's API asks of the bodies of its Droplets, Volumes and networks. */

/** A Droplet as the API knows it when its body is made. */
export interface DropletSpec {
  readonly id: number;
  readonly name: string;
  readonly region: string;
  /** Image slug, e.g. `debian-12-x64`. */
  readonly image: string;
  readonly vcpus: number;
  readonly memoryMib: number;
  readonly diskGib: number;
  /** cloud-init user data, as given to the API. */
  readonly userData: string | undefined;
  /** OpenSSH public keys. */
  readonly sshPublicKeys: readonly string[];
  readonly vpcId: string;
  /** IPv4 address inside the VPC. */
  readonly privateIp: string;
  /** IPv4 loopback address (127.x) that stands for the public one. */
  readonly publicIp: string | undefined;
  /** PEM of the local authority, which the machine trusts as it trusts public ones. */
  readonly trustedCaPem?: string | undefined;
}

export interface VpcSpec {
  readonly id: string;
  readonly name: string;
  /** IPv4 CIDR. */
  readonly ipRange: string;
}

export interface VolumeSpec {
  readonly id: string;
  /** The device appears as `/dev/disk/by-id/scsi-0DO_Volume_<name>`. */
  readonly name: string;
  readonly sizeGib: number;
  readonly filesystemType: "ext4" | "xfs" | undefined;
  readonly filesystemLabel: string;
}

/** One Firewall rule with every source (or destination) resolved to CIDRs. */
export interface FirewallRuleSpec {
  readonly protocol: "tcp" | "udp" | "icmp";
  /** `0` = all ports, else `80` or `8000-9000`. */
  readonly ports: string;
  readonly cidrs: readonly string[];
}

export interface FirewallSpec {
  readonly id: string;
  readonly dropletIds: readonly number[];
  readonly inbound: readonly FirewallRuleSpec[];
  readonly outbound: readonly FirewallRuleSpec[];
}

/** One forwarding rule of a Load Balancer. */
export interface ForwardingRuleSpec {
  readonly entryProtocol: "http" | "https" | "http2" | "tcp";
  readonly entryPort: number;
  readonly targetProtocol: "http" | "https" | "http2" | "tcp";
  readonly targetPort: number;
  readonly tlsPassthrough: boolean;
  /** PEM: private key, certificate, chain. For `https` and `http2` entries that do not pass through. */
  readonly certificatePem: string | undefined;
}

/** A Load Balancer: its own machine inside the VPC. */
export interface LoadBalancerSpec {
  readonly id: string;
  readonly name: string;
  readonly vpcId: string;
  /** IPv4 address inside the VPC: what Droplets see as the client. */
  readonly privateIp: string;
  /** Number of nodes, `size_unit`. Their load is carried by one body; limits grow with it. */
  readonly nodes: number;
  readonly rules: readonly ForwardingRuleSpec[];
  readonly healthCheck: {
    readonly protocol: "http" | "https" | "tcp";
    readonly port: number;
    readonly path: string;
    readonly intervalSeconds: number;
    readonly timeoutSeconds: number;
    readonly healthyThreshold: number;
    readonly unhealthyThreshold: number;
  };
  readonly algorithm: "round_robin" | "least_connections";
  readonly stickyCookie: { readonly name: string; readonly ttlSeconds: number } | undefined;
  readonly redirectHttpToHttps: boolean;
  readonly proxyProtocol: boolean;
  readonly backendKeepalive: boolean;
  readonly httpIdleTimeoutSeconds: number;
  /** CIDRs whose connections are refused. */
  readonly deny: readonly string[];
  /** Droplets that get requests while they are healthy. */
  readonly targets: readonly { readonly dropletId: number; readonly privateIp: string }[];
}

/** A managed database cluster: a real server with TLS inside the VPC. */
export interface DatabaseSpec {
  readonly id: string;
  readonly name: string;
  readonly engine: "pg" | "valkey";
  /** Major version. */
  readonly version: string;
  readonly vpcId: string;
  /** IPv4 address inside the VPC. */
  readonly privateIp: string;
  readonly port: number;
  /** PEM of the server's key and certificate; the certificate names the private and the public host. */
  readonly tls: { readonly keyPem: string; readonly certificatePem: string };
  readonly vcpus: number;
  readonly memoryMib: number;
  /** `doadmin` first. */
  readonly users: readonly { readonly name: string; readonly password: string }[];
  readonly databases: readonly string[];
  /** Connection pools (PgBouncer), on `poolPort`; `pg` only. */
  readonly pools: readonly {
    readonly name: string;
    readonly mode: "transaction" | "session" | "statement";
    readonly size: number;
    readonly database: string;
    /** Undefined: whoever logs in. */
    readonly user: string | undefined;
  }[];
  readonly poolPort: number;
}

/** The account's container registry: a real one, with TLS, that Droplets find under its own name. */
export interface RegistrySpec {
  /** Host name that images are pushed to and pulled from, e.g. `registry.digitalocean.com`. */
  readonly host: string;
  readonly tls: { readonly keyPem: string; readonly certificatePem: string };
  readonly username: string;
  readonly password: string;
}

/** A key for Spaces, and what it may do: `fullaccess` with everything, the others with one bucket. */
export interface SpacesKeySpec {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly grants: readonly {
    readonly bucket: string;
    readonly permission: "read" | "readwrite" | "fullaccess" | "";
  }[];
}

/** The account's buckets: one S3 server for all regions. What buckets there are, it knows itself. */
export interface SpacesSpec {
  readonly keys: readonly SpacesKeySpec[];
}

/** Where the S3 server is: base URLs without a bucket. */
export interface SpacesDoor {
  /** For this machine. */
  readonly endpoint: string;
  /** For Droplets and their containers. */
  readonly dropletEndpoint: string;
}

/** An address inside a VPC that only some may reach: a database's trusted sources, a Load Balancer's clients. */
export interface GuardSpec {
  readonly vpcId: string;
  readonly privateIp: string;
  readonly inbound: readonly FirewallRuleSpec[];
}

/** Everything that decides which packet reaches which Droplet. */
export interface NetworkSpec {
  readonly vpcs: readonly VpcSpec[];
  readonly droplets: readonly (Pick<DropletSpec, "id" | "vpcId" | "privateIp"> & {
    /** It reaches its VPC and nothing else: no public address, no NAT gateway. @default false */
    readonly isCutOff?: boolean;
  })[];
  /** Public IPv4 addresses, Reserved IPs among them, and the Droplet each leads to. */
  readonly addresses: readonly { readonly address: string; readonly dropletId: number }[];
  /** Public IPv4 addresses (127.x) that lead to a Load Balancer or a database. */
  readonly services?: readonly {
    readonly address: string;
    readonly vpcId: string;
    readonly privateIp: string;
  }[];
  readonly firewalls: readonly FirewallSpec[];
  readonly guards?: readonly GuardSpec[];
  /** What Droplets' name server answers: A records of DigitalOcean's own names and of the account's domains. */
  readonly names?: readonly { readonly name: string; readonly addresses: readonly string[] }[];
  /** Loopback port of the metadata server that 169.254.169.254:80 leads to. */
  readonly metadataPort: number;
}

/** The whole desired state, given once after the daemon (re)starts. */
export interface World {
  readonly vpcs: readonly VpcSpec[];
  readonly volumes: readonly (VolumeSpec & { readonly dropletId: number | undefined })[];
  readonly droplets: readonly (DropletSpec & { readonly power: "on" | "off" })[];
  readonly loadBalancers?: readonly LoadBalancerSpec[];
  readonly databases?: readonly DatabaseSpec[];
  readonly registry?: RegistrySpec | undefined;
  readonly spaces?: SpacesSpec | undefined;
  readonly network: NetworkSpec;
}

/** A VPC's range is in use on this machine already; the message says by what, and the remedy. */
export class RangeTaken extends Error {}

/**
 * Gives Droplets a body. Every method is idempotent: after a crash the API calls it again with the same arguments.
 *
 * Errors are thrown as `Error` with a message for the operator; the API turns the action into `errored`.
 */
export interface Machines {
  readonly kind: "simulated" | "docker";
  /** @throws {RangeTaken} */
  createVpc(vpc: VpcSpec): Promise<void>;
  deleteVpc(id: string): Promise<void>;
  createVolume(volume: VolumeSpec): Promise<void>;
  /** Grows the device while attached; the file system in it is its owner's affair. */
  growVolume(volume: VolumeSpec): Promise<void>;
  deleteVolume(id: string): Promise<void>;
  /** Resolves when the machine is powered on (the API's `active`); cloud-init goes on inside. */
  createDroplet(droplet: DropletSpec): Promise<void>;
  destroyDroplet(id: number): Promise<void>;
  powerOn(id: number): Promise<void>;
  /** Hard power-off. */
  powerOff(id: number): Promise<void>;
  /** Graceful; resolves when off. */
  shutdown(id: number): Promise<void>;
  reboot(id: number): Promise<void>;
  /** New limits of a machine that is off. The disk stays. */
  resize(id: number, size: Pick<DropletSpec, "vcpus" | "memoryMib" | "diskGib">): Promise<void>;
  attachVolume(volume: VolumeSpec, dropletId: number): Promise<void>;
  detachVolume(volume: VolumeSpec, dropletId: number): Promise<void>;
  /** Makes or changes it; connections that a change does not concern go on. */
  applyLoadBalancer(balancer: LoadBalancerSpec): Promise<void>;
  deleteLoadBalancer(id: string): Promise<void>;
  /** What each target of a Load Balancer's health check is right now, by Droplet id. */
  balancerHealth(id: string): Promise<ReadonlyMap<number, "up" | "down">>;
  /** Why such a database cluster cannot have a body here; undefined when it can. */
  checkDatabase(database: Pick<DatabaseSpec, "engine" | "version" | "pools">): string | undefined;
  /** Makes or changes a database cluster; resolves when it accepts connections. Its data outlive `applyDatabase` and restarts. */
  applyDatabase(database: DatabaseSpec): Promise<void>;
  /** Deletes its data, too. */
  deleteDatabase(id: string): Promise<void>;
  /** `undefined` removes the registry with its images. Resolves to the loopback port that it is served on. */
  applyRegistry(registry: RegistrySpec | undefined): Promise<number | undefined>;
  /** Has the S3 server know these keys and no others. Resolves to undefined where there is none. */
  applySpaces(spaces: SpacesSpec): Promise<SpacesDoor | undefined>;
  /** Replaces all address and Firewall rules at once. */
  applyNetwork(network: NetworkSpec): Promise<void>;
  /** Makes reality match after a restart; what cannot be brought back is reported, not invented. */
  restore(world: World): Promise<void>;
  /** Droplet id → what its body does right now. */
  observe(): Promise<ReadonlyMap<number, "running" | "off" | "missing">>;
  /** Lets go of connections; machines go on running. */
  close(): Promise<void>;
}
