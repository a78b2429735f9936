/** The longest chain of dependencies in a stack, by what each resource takes. */
import { z } from "zod";

const schema = z.object({
  deployment: z.object({
    resources: z.array(
      z.object({
        urn: z.string(),
        type: z.string(),
        created: z.string().optional(),
        parent: z.string().optional(),
        provider: z.string().optional(),
        dependencies: z.array(z.string()).nullish(),
        propertyDependencies: z.record(z.string(), z.array(z.string()).nullable()).nullish(),
      }),
    ),
  }),
});

export type StateExport = z.infer<typeof schema>;
export type Resource = StateExport["deployment"]["resources"][number];

export interface Link {
  readonly name: string;
  readonly type: string;
  readonly seconds: number;
}

/** @param json what `pulumi stack export` printed. */
export function readState(json: string): StateExport {
  return schema.parse(JSON.parse(json));
}

/** What must exist before a resource can be made. */
function before(resource: Resource): string[] {
  return [
    ...(resource.dependencies ?? []),
    ...Object.values(resource.propertyDependencies ?? {}).flatMap((urns) => urns ?? []),
    ...(resource.provider ? [resource.provider.split("::").slice(0, -1).join("::")] : []),
  ];
}

function link(resource: Resource, seconds: number): Link {
  return {
    name: resource.urn.split("::").at(-1) ?? resource.urn,
    type: resource.type.split(":").at(-1) ?? resource.type,
    seconds,
  };
}

/** The chain with the greatest sum of `seconds(resource)`, links without any left out. */
export function longestPath(state: StateExport, seconds: (resource: Resource) => number): Link[] {
  const byUrn = new Map(state.deployment.resources.map((each) => [each.urn, each]));
  const known = new Map<string, { total: number; path: Link[] }>();
  const visit = (urn: string): { total: number; path: Link[] } => {
    const done = known.get(urn);
    if (done) return done;
    const resource = byUrn.get(urn);
    if (!resource) return { total: 0, path: [] };
    known.set(urn, { total: 0, path: [] });
    const longest = before(resource)
      .map(visit)
      .reduce((best, each) => (each.total > best.total ? each : best), { total: 0, path: [] });
    const own = seconds(resource);
    const result = {
      total: longest.total + own,
      path: own > 0 ? [...longest.path, link(resource, own)] : longest.path,
    };
    known.set(urn, result);
    return result;
  };
  return state.deployment.resources
    .map(({ urn }) => visit(urn))
    .reduce((best, each) => (each.total > best.total ? each : best), {
      total: 0,
      path: [] as Link[],
    }).path;
}

/**
 * The chain that ended last: from the resource that was ready last, back over whichever dependency was ready
 * last before it. Its seconds are the time between the two.
 */
export function criticalPath(state: StateExport, startedAt: Date): Link[] {
  const byUrn = new Map(state.deployment.resources.map((each) => [each.urn, each]));
  const ready = (resource: Resource) => (resource.created ? Date.parse(resource.created) : 0);
  const latest = (resources: Resource[]) =>
    resources.reduce<Resource | undefined>(
      (best, each) => (ready(each) > (best ? ready(best) : 0) ? each : best),
      undefined,
    );
  const path: Link[] = [];
  let current = latest(state.deployment.resources);
  while (current) {
    const previous = latest(before(current).flatMap((urn) => byUrn.get(urn) ?? []));
    const since = previous ? ready(previous) : startedAt.getTime();
    path.unshift(link(current, (ready(current) - since) / 1000));
    current = previous;
  }
  return path;
}
