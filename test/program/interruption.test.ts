import { once } from "node:events";
import * as fs from "node:fs";
import type { ChildProcess } from "node:child_process";
import { engineBelow } from "../../scripts/drill/engine-process";
import { finished, LocalCloud, succeeded } from "./support/cloud";

const stack = {
  topology: "single-node",
  region: "fra1",
  sshFrom: ["203.0.113.7/32"],
  services: { web: { image: "node:22-alpine", port: 3000, routes: ["/"] } },
};

/** The engine that runs under an npm script. */
const engineOf = (parent: ChildProcess) => engineBelow(parent.pid as number);

/** Command lines of processes that were started from below a directory. */
function startedFrom(directory: string): string[] {
  return fs.readdirSync("/proc").flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    try {
      const line = fs.readFileSync(`/proc/${entry}/cmdline`, "utf8").replaceAll("\0", " ");
      return line.includes(directory) ? [line] : [];
    } catch {
      return [];
    }
  });
}

async function untilOutput(child: ChildProcess, pattern: RegExp): Promise<void> {
  let seen = "";
  for await (const [chunk] of eventsOf(child)) {
    seen += chunk.toString();
    if (pattern.test(seen)) return;
  }
  throw new Error(`ended without ${String(pattern)}:\n${seen}`);
}

async function* eventsOf(child: ChildProcess): AsyncGenerator<[Buffer]> {
  const ended = once(child, "close").then(() => undefined);
  for (;;) {
    const event = await Promise.race([once(child.stdout as NodeJS.ReadableStream, "data"), ended]);
    if (!event) return;
    yield event as [Buffer];
  }
}

(process.platform === "linux" ? describe : describe.skip)("an interrupted up", () => {
  const cloud = new LocalCloud();
  /** How many there are of what the stack has one of. */
  const counts = async () => {
    const resources = ["droplets", "reserved_ips", "volumes", "firewalls", "account/keys"];
    const lists = await Promise.all(
      resources.map((resource) => cloud.api<Record<string, unknown>>("GET", `/v2/${resource}`)),
    );
    return lists.map((list) => Object.values(list).find(Array.isArray)?.length);
  };

  beforeAll(async () => {
    cloud.stack("app", stack);
    succeeded(await cloud.local("api", "--progress", "realistic"));
    // Creates must last long enough to be interrupted.
    await cloud.api("POST", "/_local/progress", { progress: 0.05 });
  }, 60_000);

  afterAll(() => cloud.remove());

  test.each([
    ["the network is made", /vpc.*creating/i],
    ["the Droplet is made", /Droplet.*creating/i],
  ])(
    "killed while %s, it is gone on with by the next one",
    async (_name, moment) => {
      const up = cloud.spawn("local", "up", "app", "--yes", "--skip-preview");
      await untilOutput(up, moment);
      const engine = engineOf(up);
      expect(engine).toBeDefined();
      process.kill(engine as number, "SIGKILL");
      expect((await finished(up)).code).not.toBe(0);
      // Host and program end with their engine; left alone they would spin for ever.
      const engineDir = `${cloud.dir}/local/engine`;
      for (let tries = 0; tries < 100 && startedFrom(engineDir).length > 0; tries++) {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      expect(startedFrom(engineDir)).toEqual([]);
    },
    120_000,
  );

  test("stopped by Ctrl-C while addresses and Volumes are attached, it ends in order", async () => {
    const up = cloud.spawn("local", "up", "app", "--yes", "--skip-preview");
    await untilOutput(up, /(Attachment|Assignment).*creating/i);
    // A terminal sends it to every process in the foreground.
    process.kill(engineOf(up) as number, "SIGINT");
    up.kill("SIGINT");
    expect((await finished(up)).code).not.toBe(0);
  }, 120_000);

  test("up again finishes, and nothing is there twice", async () => {
    succeeded(await cloud.local("up", "app", "--yes", "--skip-preview"));
    expect(await counts()).toEqual([1, 1, 1, 2, 1]);
  }, 120_000);

  test("killed while addresses and Volumes are attached: up again finishes", async () => {
    succeeded(await cloud.local("destroy", "app", "--yes", "--skip-preview"));
    expect(await counts()).toEqual([0, 0, 0, 0, 0]);
    const up = cloud.spawn("local", "up", "app", "--yes", "--skip-preview");
    await untilOutput(up, /(Attachment|Assignment).*creating/i);
    process.kill(engineOf(up) as number, "SIGKILL");
    expect((await finished(up)).code).not.toBe(0);
    succeeded(await cloud.local("up", "app", "--yes", "--skip-preview"));
    expect(await counts()).toEqual([1, 1, 1, 2, 1]);
  }, 180_000);

  test("a daemon killed with -9 comes back with everything it had acknowledged", async () => {
    process.kill(cloud.daemonPid, "SIGKILL");
    succeeded(await cloud.local("preview", "app", "--expect-no-changes"));
  }, 120_000);
});
