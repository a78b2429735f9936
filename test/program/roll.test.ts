import { setTimeout } from "node:timers/promises";
import { LocalCloud, succeeded } from "./support/cloud";

const swarm = (size: string) => ({
  topology: "swarm",
  region: "fra1",
  sshFrom: ["203.0.113.7/32"],
  database: "none",
  managers: { count: 1, size },
  workers: { count: 2, size },
  services: { web: { image: "node:22-alpine", port: 3000, routes: ["/"] } },
});

interface Droplets {
  readonly droplets: readonly { readonly id: number; readonly name: string; size_slug: string }[];
}

describe("npm run roll, on the real engine (simulated machines)", () => {
  const cloud = new LocalCloud();
  const droplets = async () => (await cloud.api<Droplets>("GET", "/v2/droplets")).droplets;

  afterAll(() => cloud.remove());

  test("replaces every node with never more than one Droplet too many, and skips those that are done", async () => {
    const nodes = { "worker-1": { size: "s-4vcpu-8gb" } };
    cloud.stack("app", { ...swarm("s-2vcpu-4gb"), nodes });
    succeeded(await cloud.local("up", "app", "--yes", "--skip-preview"));
    const before = new Map((await droplets()).map(({ name, id }) => [name, id]));

    cloud.stack("app", swarm("s-4vcpu-8gb"));
    const plan = succeeded(await cloud.npm("roll", "app", "--dry-run")).stdout;
    expect(plan).toContain("app: 2 nodes, one at a time\n  1. worker-2   size s-2vcpu-4gb → ");
    expect(plan).toContain("Droplets: 3 now → 3 after, 4 at most in between (with `up`: 5)");

    let most = 0;
    const rolling = { on: true };
    const watch = (async () => {
      while (rolling.on) {
        most = Math.max(most, (await droplets()).length);
        await setTimeout(50);
      }
    })();
    const { stdout } = succeeded(await cloud.npm("roll", "app", "--yes"));
    rolling.on = false;
    await watch;
    expect(stdout).toContain("app: all 2 nodes are new.");
    expect(most).toBe(4);
    const after = await droplets();
    expect(after.map(({ size_slug }) => size_slug)).toEqual(Array(3).fill("s-4vcpu-8gb"));
    const kept = after.filter(({ name, id }) => before.get(name) === id);
    expect(kept.map(({ name }) => name)).toEqual(["app-worker-1"]);
    const again = succeeded(await cloud.npm("roll", "app"));
    expect(again.stdout).toBe("app: no node is to be replaced.\n");
  }, 600_000);
});
