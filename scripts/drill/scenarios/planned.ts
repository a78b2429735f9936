/** Changes that a team makes on purpose: no request may fail. */
import type { Scenario } from "../drill";
import { until } from "../until";
import { BASE, type Ground, type StackConfig, withWeb } from "../ground";

const DROPLET = "digitalocean:index/droplet:Droplet";

/** Stack files that are brought up one after the other. */
function ups(
  name: string,
  action: string,
  configs: (ground: Ground) => readonly StackConfig[],
): Scenario {
  return {
    name,
    action,
    prepare: (ground) =>
      Promise.resolve(async () => {
        for (const config of configs(ground)) await ground.mustUp(config);
        return [];
      }),
  };
}

/** New Droplets under old names, as after a change of the image. */
function replaced(name: string, action: string, nodes: readonly string[]): Scenario {
  return {
    name,
    action,
    prepare: async (ground) => {
      const urns = await Promise.all(nodes.map((node) => ground.urn(DROPLET, node)));
      return async () => {
        await ground.mustUp(BASE, ...urns.flatMap((urn) => ["--replace", urn]));
        return [];
      };
    },
  };
}

export const planned: readonly Scenario[] = [
  ups("rolling-deploy", "a new version of the app", (ground) => [
    withWeb({ environment: { RELEASE: ground.fresh() } }),
  ]),
  {
    name: "bad-deploy",
    action: "a version that never gets healthy, and back",
    prepare: (ground) =>
      Promise.resolve(async () => {
        const mute = ["node", "-e", "console.log('mute'); setInterval(() => {}, 1e3)"];
        const up = await ground.up(withWeb({ command: mute }));
        if (up.code === 0) throw new Error("up succeeded although no task got healthy");
        if (!/task web\.\d/.test(up.stdout + up.stderr)) throw new Error("up named no task");
        await ground.mustUp(BASE);
        return [];
      }),
  },
  ups("scale-services", "web from 4 tasks to 8, to 2", () => [
    withWeb({ replicas: 8 }),
    withWeb({ replicas: 2 }),
  ]),
  ups("scale-workers", "workers from 2 to 5, to 1", () => [
    { ...BASE, workers: { count: 5, size: "s-2vcpu-2gb" } },
    { ...BASE, workers: { count: 1, size: "s-2vcpu-2gb" } },
  ]),
  replaced("replace-worker", "worker-1 by a new Droplet", ["worker-1"]),
  replaced("replace-managers", "every manager by a new Droplet, in one up", [
    "manager-1",
    "manager-2",
    "manager-3",
  ]),
  ups("retire-manager-1", "manager-1 for good, manager-4 takes its place", () => [
    { ...BASE, nodes: { "manager-1": { retired: true } } },
  ]),
  ups("resize-nodes", "every node to twice the memory", () => [
    {
      ...BASE,
      managers: { count: 3, size: "s-2vcpu-4gb" },
      workers: { count: 2, size: "s-2vcpu-4gb" },
    },
  ]),
  {
    name: "edge-update",
    action: "every edge is replaced, one node at a time",
    prepare: async (ground) => {
      const manager = await ground.manager();
      return async () => {
        const [edge] = await manager.listServices({ filters: { name: ["edge"] } });
        if (!edge?.Spec || !edge.Version) throw new Error("there is no service edge");
        const service = manager.getService(edge.ID);
        const { TaskTemplate, ...rest } = edge.Spec as { TaskTemplate: { ForceUpdate?: number } };
        const ForceUpdate = (TaskTemplate.ForceUpdate ?? 0) + 1;
        await service.update({
          ...rest,
          version: edge.Version.Index,
          TaskTemplate: { ...TaskTemplate, ForceUpdate },
        });
        await until("the update of the edge", 300, async () => {
          const { UpdateStatus } = (await service.inspect()) as {
            UpdateStatus?: { State?: string; Message?: string };
          };
          if (UpdateStatus?.State === "completed") return true;
          if (UpdateStatus?.State === "updating") return false;
          throw new Error(
            `the update of the edge ${UpdateStatus?.State}: ${UpdateStatus?.Message}`,
          );
        });
        return [];
      };
    },
  },
];
