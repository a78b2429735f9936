/**
 * Forgets what went with a Droplet that somebody removed: the state says of each resource in its swarm
 * `deletedWith` the Droplet.
 *
 * Without this, `pulumi refresh` asks the dead Droplet's engine for each of them and ends with errors, with
 * Docker's own plugin too: it reads all resources at once, so that none knows yet that the Droplet is gone.
 */
import { exportState, importState, type Api, type Resource, type RunPulumi } from "./stack-state";

const DROPLET = "digitalocean:index/droplet:Droplet";

/**
 * @returns lines that say what was forgotten; none when every Droplet exists.
 * @throws {Error} when the API cannot say, or the stack's state cannot be read or written.
 */
export async function forgetLost(pulumi: RunPulumi, api: Api): Promise<string[]> {
  const state = await exportState(pulumi);
  const resources = state.deployment?.resources ?? [];
  const droplets = resources.filter(({ type, id }) => type === DROPLET && id !== undefined);
  const lines: string[] = [];
  const forgotten = new Set<string>();
  for (const { urn, id = "" } of droplets) {
    const inside = resources.filter(({ deletedWith }) => deletedWith === urn);
    if (inside.length === 0 || (await exists(api, id))) continue;
    for (const resource of inside) forgotten.add(resource.urn);
    lines.push(
      `${nameOf(urn)}: Droplet ${id} does not exist any more; forgot what went with it (${inside.length} in state)`,
    );
  }
  if (forgotten.size === 0) return [];
  await importState(pulumi, {
    ...state,
    deployment: {
      ...state.deployment,
      resources: resources
        .filter(({ urn }) => !forgotten.has(urn))
        .map((resource) => withoutDependenciesOn(forgotten, resource)),
    },
  });
  return lines;
}

async function exists({ url, token }: Api, droplet: string): Promise<boolean> {
  const response = await fetch(`${url}/v2/droplets/${droplet}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  await response.body?.cancel();
  if (response.status === 404) return false;
  if (response.ok) return true;
  throw new Error(`${url} answered ${response.status} to GET droplets/${droplet}`);
}

/** What the engine does with dependencies on a resource that a refresh found gone. */
function withoutDependenciesOn(forgotten: ReadonlySet<string>, resource: Resource): Resource {
  const remaining = (urns: readonly string[]) => urns.filter((urn) => !forgotten.has(urn));
  const { dependencies, propertyDependencies } = resource;
  return {
    ...resource,
    ...(dependencies && { dependencies: remaining(dependencies) }),
    ...(propertyDependencies && {
      propertyDependencies: Object.fromEntries(
        Object.entries(propertyDependencies).map(([name, urns]) => [name, remaining(urns ?? [])]),
      ),
    }),
  };
}

const nameOf = (urn: string) => urn.split("::").at(-1) ?? urn;
