import { mkdirSync, readFileSync } from "node:fs";
import { open, type Database, type RootDatabase } from "lmdb";
import type { ActionRecord } from "./actions/model";
import type { AutoscalePoolRecord } from "./autoscale/model";
import type { CertificateRecord } from "./certificates/model";
import type { DatabaseRecord } from "./databases/model";
import type { DomainRecord, DomainRecordRecord } from "./domains/model";
import type { DropletRecord } from "./droplets/model";
import { StateError } from "./errors";
import type { FirewallRecord } from "./firewalls/model";
import type { ImageRecord } from "./images/model";
import type { Job } from "./lifecycle";
import type { GlobalLoadBalancerRecord } from "./load-balancers/global";
import type { LoadBalancerRecord } from "./load-balancers/model";
import type { AlertPolicyRecord } from "./monitoring/model";
import type { NatGatewayRecord } from "./nat-gateways/model";
import type { AssignmentRecord, ProjectRecord } from "./projects/model";
import type { RegistryRecord } from "./registry/model";
import type { ReservedIpRecord } from "./reserved-ips/model";
import type { VolumeSnapshotRecord } from "./snapshots/model";
import type { SpacesKeyRecord } from "./spaces/model";
import type { SshKeyRecord } from "./ssh-keys/model";
import type { TagRecord } from "./tags/model";
import type { UptimeCheckRecord } from "./uptime/model";
import type { VolumeRecord } from "./volumes/model";
import type { VpcPeeringRecord } from "./vpc-peerings/model";
import type { VpcRecord } from "./vpcs/model";

/** Records of one kind by key. Reads see the writes of the transaction they are made in. */
export class Collection<K extends string | number, V> {
  constructor(private readonly db: Database<V, K>) {}

  get(key: K): V | undefined {
    return this.db.get(key);
  }

  put(key: K, value: V): void {
    this.db.putSync(key, value);
  }

  remove(key: K): void {
    this.db.removeSync(key);
  }

  /** Every record, by ascending key. */
  all(): V[] {
    return Array.from(this.db.getRange(), ({ value }) => value);
  }

  find(test: (value: V) => boolean): V | undefined {
    for (const { value } of this.db.getRange()) if (test(value)) return value;
    return undefined;
  }

  filter(test: (value: V) => boolean): V[] {
    return this.all().filter(test);
  }

  count(): number {
    return this.db.getKeysCount();
  }

  /** Replaces some fields of a record that exists; does nothing when it does not. */
  patch(key: K, changes: Partial<V>): void {
    const value = this.get(key);
    if (value !== undefined) this.put(key, { ...value, ...changes });
  }
}

interface Owner {
  readonly pid: number;
  /** Tells a process from a later one with the same id; empty where the system does not say. */
  readonly startedAt: string;
}

/** First ids, so that they look like DigitalOcean's and never clash between kinds. */
const firstIds = {
  droplet: 300_000_001,
  action: 1_000_000_001,
  sshKey: 40_000_001,
  image: 200_000_001,
  domainRecord: 1_700_000_001,
  job: 1,
} as const;

/**
 * The whole state of a local DigitalOcean in one directory (LMDB). A committed transaction is on disk: neither `kill -9`
 * nor a power cut takes it back.
 */
export class Store {
  readonly droplets;
  readonly actions;
  readonly vpcs;
  readonly firewalls;
  readonly reservedIps;
  readonly loadBalancers;
  readonly globalLoadBalancers;
  readonly certificates;
  readonly databases;
  readonly registries;
  readonly alertPolicies;
  readonly uptimeChecks;
  readonly natGateways;
  readonly spacesKeys;
  readonly autoscalePools;
  readonly vpcPeerings;
  readonly volumes;
  readonly volumeSnapshots;
  readonly images;
  readonly sshKeys;
  readonly tags;
  readonly domains;
  readonly domainRecords;
  readonly projects;
  readonly assignments;
  readonly jobs;
  private readonly meta: Database<unknown, string>;
  private open = true;

  private constructor(private readonly root: RootDatabase) {
    const collection = <K extends string | number, V>(name: string) =>
      new Collection<K, V>(root.openDB<V, K>({ name, encoding: "json" }));
    this.meta = root.openDB({ name: "meta", encoding: "json" });
    this.droplets = collection<number, DropletRecord>("droplets");
    this.actions = collection<number, ActionRecord>("actions");
    this.vpcs = collection<string, VpcRecord>("vpcs");
    this.firewalls = collection<string, FirewallRecord>("firewalls");
    this.reservedIps = collection<string, ReservedIpRecord>("reserved-ips");
    this.loadBalancers = collection<string, LoadBalancerRecord>("load-balancers");
    this.globalLoadBalancers = collection<string, GlobalLoadBalancerRecord>(
      "global-load-balancers",
    );
    this.certificates = collection<string, CertificateRecord>("certificates");
    this.databases = collection<string, DatabaseRecord>("databases");
    this.registries = collection<string, RegistryRecord>("registries");
    this.alertPolicies = collection<string, AlertPolicyRecord>("alert-policies");
    this.uptimeChecks = collection<string, UptimeCheckRecord>("uptime-checks");
    this.natGateways = collection<string, NatGatewayRecord>("nat-gateways");
    this.autoscalePools = collection<string, AutoscalePoolRecord>("autoscale-pools");
    this.spacesKeys = collection<string, SpacesKeyRecord>("spaces-keys");
    this.vpcPeerings = collection<string, VpcPeeringRecord>("vpc-peerings");
    this.volumes = collection<string, VolumeRecord>("volumes");
    this.volumeSnapshots = collection<string, VolumeSnapshotRecord>("volume-snapshots");
    this.images = collection<number, ImageRecord>("images");
    this.sshKeys = collection<number, SshKeyRecord>("ssh-keys");
    this.tags = collection<string, TagRecord>("tags");
    this.domains = collection<string, DomainRecord>("domains");
    this.domainRecords = collection<number, DomainRecordRecord>("domain-records");
    this.projects = collection<string, ProjectRecord>("projects");
    this.assignments = collection<string, AssignmentRecord>("assignments");
    this.jobs = collection<number, Job>("jobs");
  }

  /**
   * Opens the state and takes it for this process alone.
   *
   * @throws {StateError} when another living process has it, or the directory cannot be written.
   */
  static open(stateDir: string): Store {
    let store: Store;
    try {
      mkdirSync(stateDir, { recursive: true, mode: 0o700 });
      store = new Store(
        // overlappingSync would acknowledge before the data is on disk.
        open({ path: stateDir, noSubdir: false, maxDbs: 64, overlappingSync: false }),
      );
    } catch (error) {
      throw explain(error, stateDir);
    }
    try {
      store.root.transactionSync(() => store.take(stateDir));
    } catch (error) {
      void store.root.close();
      throw explain(error, stateDir);
    }
    return store;
  }

  private take(stateDir: string): void {
    const owner = this.meta.get("owner") as Owner | undefined;
    // Where starts are not told, our own id in there is a reused one.
    const reused = owner?.pid === process.pid && owner.startedAt === "";
    if (owner && !reused && owner.startedAt === startOf(owner.pid))
      throw new StateError(
        `The local DigitalOcean's state in ${stateDir} is in use by process ${owner.pid}: stop that one first, or give another directory.`,
      );
    this.meta.putSync("owner", { pid: process.pid, startedAt: startOf(process.pid) });
  }

  /** Runs `work` in one transaction: all of it is on disk on return, or, when it throws, none of it. */
  transaction<T>(work: () => T): T {
    return this.root.transactionSync(work);
  }

  nextId(kind: keyof typeof firstIds): number {
    const id = (this.meta.get(`next-${kind}`) as number | undefined) ?? firstIds[kind];
    this.meta.putSync(`next-${kind}`, id + 1);
    return id;
  }

  setting<T>(name: string): T | undefined {
    return this.meta.get(`setting-${name}`) as T | undefined;
  }

  setSetting(name: string, value: unknown): void {
    this.meta.putSync(`setting-${name}`, value);
  }

  async close(): Promise<void> {
    if (!this.open) return;
    this.open = false;
    this.root.transactionSync(() => this.meta.removeSync("owner"));
    await this.root.close();
  }
}

/** When a process started, or undefined when there is none with that id. */
function startOf(pid: number): string | undefined {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return undefined;
  }
  try {
    // Killed and not yet taken note of by its parent, it has no memory any more, and no state in it.
    if (readFileSync(`/proc/${pid}/cmdline`).length === 0) return undefined;
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
}

/** LMDB's and the file system's errors in words for an operator. */
export function explain(error: unknown, stateDir: string): Error {
  if (error instanceof StateError) return error;
  const { code, message } = error as { code?: string | number; message?: string };
  if (code === "ENOSPC" || code === 28 || /no space left|MDB_MAP_FULL/i.test(message ?? ""))
    return new StateError(
      `The disk that holds the local DigitalOcean's state (${stateDir}) is full: free some space and start again.`,
    );
  if (code === "EACCES" || code === "EROFS" || code === "EPERM" || code === 13)
    return new StateError(
      `The local DigitalOcean's state directory ${stateDir} cannot be written: give one that this user owns.`,
    );
  return error instanceof Error ? error : new Error(String(error));
}
