/**
 * Forgets a bastion whose Droplet somebody removed, so that the next `up` makes another one.
 *
 * Without this the state goes on leading to it: `refresh` asks each node through it, and ends with errors before it has found
 * out that it is gone; `up` believes that it is there.
 */
import { lookUp } from "./look-up";
import { type Api, exportState, mustRun, type Resource, type RunPulumi } from "./stack-state";

const BASTION = "archipelago:bastion:Bastion";
const DROPLET = "digitalocean:index/droplet:Droplet";
const NODE = "swarm:index:Node";
/** They name each Droplet, the lost one too. */
const PROJECT = /^digitalocean:index\/project/;

/**
 * @returns a line for each bastion that only `up` brings back; none when each has its Droplet.
 * @throws {Error} when the API cannot say, or the stack's state cannot be read or refreshed.
 */
export async function forgetLostBastion(pulumi: RunPulumi, api: Api): Promise<string[]> {
  const { deployment } = await exportState(pulumi);
  const resources = deployment?.resources ?? [];
  const lines: string[] = [];
  const lost: Resource[] = [];
  for (const { urn } of resources.filter(({ type }) => type === BASTION)) {
    const name = urn.split("::").at(-1) ?? urn;
    const droplet = resources.find(({ type, parent }) => type === DROPLET && parent === urn);
    if (droplet?.id === undefined) {
      // Forgotten before; or never made, where there are no nodes yet.
      if (resources.some(({ type }) => type === NODE)) lines.push(`${name}: it has no Droplet`);
    } else if ((await lookUp(api, `droplets/${droplet.id}`)) === undefined) {
      lost.push(droplet);
      lines.push(`${name}: Droplet ${droplet.id} does not exist any more`);
    }
  }
  if (lost.length > 0) {
    const knew = [...lost, ...resources.filter(({ type }) => PROJECT.test(type))];
    const targets = knew.flatMap(({ urn }) => ["--target", urn]);
    await mustRun(pulumi, ["refresh", "--yes", "--skip-preview", ...targets]);
  }
  return lines.map((line) => `${line}; up makes another one, without a refresh`);
}
