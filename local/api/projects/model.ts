import { randomUUID } from "node:crypto";
import { timestamp, type Context } from "../context";
import { operatorOf } from "../spaces/model";
import type { Store } from "../store";

export interface ProjectRecord {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly purpose: string;
  readonly environment: "Development" | "Staging" | "Production" | undefined;
  readonly isDefault: boolean;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** Which project a resource is in. Keyed by the resource, not by its URN: Reserved IPs have two of those. */
export interface AssignmentRecord {
  readonly urn: string;
  readonly projectId: string;
  readonly assignedAt: string;
}

/** @returns the key of the resource that a URN names, or undefined when it is none. */
export function resourceKey(urn: string): string | undefined {
  const match = /^do:([a-z_]+):(.+)$/.exec(urn);
  if (!match) return undefined;
  return `${match[1] === "reservedip" ? "floatingip" : match[1]}:${match[2]}`;
}

/** Path of the resource in this API, if it exists. */
export function resourcePath(store: Store, urn: string): string | undefined {
  const [type = "", id = ""] = (resourceKey(urn) ?? "").split(/:(.*)/s);
  const kinds: Record<string, readonly [found: unknown, path: string]> = {
    droplet: [store.droplets.get(Number(id) || 0), "droplets"],
    volume: [store.volumes.get(id), "volumes"],
    floatingip: [store.reservedIps.get(id), "floating_ips"],
    loadbalancer: [
      store.loadBalancers.get(id) ?? store.globalLoadBalancers.get(id),
      "load_balancers",
    ],
    dbaas: [store.databases.get(id), "databases"],
    vpcnatgateway: [store.natGateways.get(id), "vpc_nat_gateways"],
    domain: [store.domains.get(id), "domains"],
    // Which buckets there are, only the S3 server knows.
    space: [operatorOf(store), "spaces"],
  };
  const [found, path] = kinds[type] ?? [];
  return found === undefined ? undefined : `/v2/${path}/${id}`;
}

/** The project everything is in until it is put elsewhere; made when missing. */
export function defaultProject({ store, now }: Context): ProjectRecord {
  const found = store.projects.find((project) => project.isDefault);
  if (found) return found;
  const at = now().toISOString();
  const project: ProjectRecord = {
    id: randomUUID(),
    name: "first-project",
    description: "Update your project information under Settings",
    purpose: "Just trying out DigitalOcean",
    environment: undefined,
    isDefault: true,
    createdAt: at,
    updatedAt: at,
  };
  store.projects.put(project.id, project);
  return project;
}

/** Puts a resource into a project, out of the one it was in; call inside a transaction. */
export function assign(context: Context, urn: string, projectId?: string): AssignmentRecord {
  const record = {
    urn,
    projectId: projectId ?? defaultProject(context).id,
    assignedAt: context.now().toISOString(),
  };
  context.store.assignments.put(resourceKey(urn) ?? urn, record);
  return record;
}

/** Forgets a resource that is gone; call inside a transaction. */
export const unassign = (store: Store, urn: string) =>
  store.assignments.remove(resourceKey(urn) ?? urn);

export const projectOf = (store: Store, urn: string) =>
  store.assignments.get(resourceKey(urn) ?? urn)?.projectId;

export const projectView = (store: Store, project: ProjectRecord) => ({
  id: project.id,
  owner_uuid: store.setting<string>("team-uuid"),
  owner_id: 1,
  name: project.name,
  description: project.description,
  purpose: project.purpose,
  ...(project.environment && { environment: project.environment }),
  is_default: project.isDefault,
  created_at: timestamp(new Date(project.createdAt)),
  updated_at: timestamp(new Date(project.updatedAt)),
});
