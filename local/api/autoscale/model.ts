import { timestamp } from "../context";
import { type DropletRecord, isPending } from "../droplets/model";
import type { Store } from "../store";

/** How many Droplets a pool has: a fixed number, or by load. */
export type PoolConfig =
  | { readonly target_number_instances: number }
  | {
      readonly min_instances: number;
      readonly max_instances: number;
      readonly target_cpu_utilization?: number | undefined;
      readonly target_memory_utilization?: number | undefined;
      readonly cooldown_minutes?: number | undefined;
    };

/** What each Droplet is made from, as the API shows it. */
export interface PoolTemplate {
  readonly name?: string | undefined;
  /** Slugs. */
  readonly region: string;
  readonly size: string;
  /** Id as text. */
  readonly image: string;
  /** Ids or fingerprints. */
  readonly ssh_keys: readonly string[];
  readonly tags: readonly string[];
  readonly vpc_uuid?: string | undefined;
  readonly with_droplet_agent?: boolean | undefined;
  readonly project_id?: string | undefined;
  readonly ipv6?: boolean | undefined;
  readonly user_data?: string | undefined;
  readonly public_networking?: boolean | undefined;
}

export interface PoolMember {
  readonly dropletId: number;
  /** Number of the template that it was made from. */
  readonly generation: number;
  /** Chosen to go. */
  readonly leaving: boolean;
}

export interface PoolEvent {
  readonly id: string;
  readonly current: number;
  readonly desired: number;
  readonly reason: "CONFIGURATION_CHANGE" | "SCALE_UP" | "SCALE_DOWN";
  readonly status: "in_progress" | "success" | "error";
  /** ISO 8601. */
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface AutoscalePoolRecord {
  readonly id: string;
  readonly name: string;
  readonly config: PoolConfig;
  readonly template: PoolTemplate;
  /** Counts the templates it has had. */
  readonly generation: number;
  /** How many Droplets it has made. */
  readonly made: number;
  readonly members: readonly PoolMember[];
  /** Newest first. */
  readonly history: readonly PoolEvent[];
  readonly status: "active" | "deleting" | "error";
  /** ISO 8601. */
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** A member together with its Droplet. */
export interface LivingMember extends PoolMember {
  readonly droplet: DropletRecord;
}

/** Members whose Droplets exist, oldest first. */
export const membersOf = (store: Store, { members }: AutoscalePoolRecord): LivingMember[] =>
  members.flatMap((member) => {
    const droplet = store.droplets.get(member.dropletId);
    return droplet ? [{ ...member, droplet }] : [];
  });

/** Those that stay. */
export const stayingOf = (store: Store, pool: AutoscalePoolRecord): LivingMember[] =>
  membersOf(store, pool).filter(({ leaving, droplet }) => !leaving && !droplet.deleting);

/**
 * How many Droplets there ought to be. Load is not measured here, so that a pool by load has as many as it has, within
 * its limits, and begins with the fewest.
 */
export function desiredCount(config: PoolConfig, current: number): number {
  if ("target_number_instances" in config) return config.target_number_instances;
  return Math.min(Math.max(current, config.min_instances), config.max_instances);
}

/** That pools wait before they change again. Fixed for a fixed number. https://docs.digitalocean.com/products/droplets/concepts/autoscale-pools/ */
export const cooldownSeconds = (config: PoolConfig): number =>
  60 * (("cooldown_minutes" in config ? config.cooldown_minutes : undefined) ?? 10);

/** The pool that a Droplet is a member of. */
export const poolOf = (store: Store, dropletId: number): AutoscalePoolRecord | undefined =>
  store.autoscalePools.find(
    ({ status, members }) =>
      status !== "deleting" &&
      members.some((member) => member.dropletId === dropletId && !member.leaving),
  );

const time = (iso: string) => timestamp(new Date(iso));

export const poolView = (store: Store, pool: AutoscalePoolRecord) => ({
  id: pool.id,
  name: pool.name,
  config: pool.config,
  droplet_template: pool.template,
  created_at: time(pool.createdAt),
  updated_at: time(pool.updatedAt),
  status: pool.status,
  active_resources_count: membersOf(store, pool).filter(({ droplet }) => isActive(droplet)).length,
});

const isActive = ({ status, deleting }: DropletRecord) => status === "active" && !deleting;

export function memberView(store: Store, { droplet, leaving }: LivingMember) {
  const { id, createdAt, failure, status, deleting } = droplet;
  const going = deleting || leaving;
  return {
    droplet_id: id,
    created_at: time(createdAt),
    updated_at: time(createdAt),
    health_status: failure === undefined ? "healthy" : "unhealthy",
    ...(failure !== undefined && { unhealthy_reason: failure }),
    status: going
      ? "deleting"
      : status === "new"
        ? "provisioning"
        : status === "off" && !isPending(store, droplet)
          ? "off"
          : "active",
    // No load is measured.
    current_utilization: {},
  };
}

export const eventView = (event: PoolEvent) => ({
  history_event_id: event.id,
  current_instance_count: event.current,
  desired_instance_count: event.desired,
  reason: event.reason,
  status: event.status,
  created_at: time(event.createdAt),
  updated_at: time(event.updatedAt),
});
