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

/** Everything that decides which packet reaches which Droplet. */
export interface NetworkSpec {
  readonly vpcs: readonly VpcSpec[];
  readonly droplets: readonly Pick<DropletSpec, "id" | "vpcId" | "privateIp">[];
  /** Public IPv4 addresses, Reserved IPs among them, and the Droplet each leads to. */
  readonly addresses: readonly { readonly address: string; readonly dropletId: number }[];
  readonly firewalls: readonly FirewallSpec[];
  /** Loopback port of the metadata server that 169.254.169.254:80 leads to. */
  readonly metadataPort: number;
}

/** The whole desired state, given once after the daemon (re)starts. */
export interface World {
  readonly vpcs: readonly VpcSpec[];
  readonly volumes: readonly (VolumeSpec & { readonly dropletId: number | undefined })[];
  readonly droplets: readonly (DropletSpec & { readonly power: "on" | "off" })[];
  readonly network: NetworkSpec;
}

/**
 * Gives Droplets a body. Every method is idempotent: after a crash the API calls it again with the same arguments.
 *
 * Errors are thrown as `Error` with a message for the operator; the API turns the action into `errored`.
 */
export interface Machines {
  readonly kind: "simulated" | "docker";
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
  /** Replaces all address and Firewall rules at once. */
  applyNetwork(network: NetworkSpec): Promise<void>;
  /** Makes reality match after a restart; what cannot be brought back is reported, not invented. */
  restore(world: World): Promise<void>;
  /** Droplet id → what its body does right now. */
  observe(): Promise<ReadonlyMap<number, "running" | "off" | "missing">>;
  /** Lets go of connections; machines go on running. */
  close(): Promise<void>;
}
