// Answers are JSON of every shape; what a test reads of one, it asserts.
/* eslint-disable @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-member-access */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { startApi } from "../../../local/api";
import type { World } from "../../../local/machines/machines";
import { Simulated } from "../../../local/machines/simulated";
import { eventually } from "../examples/harness";
import { TestApi, token } from "./harness";

const root = resolve(__dirname, "../../..");

const programFor = (stateDir: string, progress: number) => `
    const load = require("./build/load.cjs");
    const { startApi } = load("local/api/index.ts");
    const { Simulated } = load("local/machines/simulated.ts");
    startApi({ stateDir: ${JSON.stringify(stateDir)}, tokens: ["${token}"], machines: new Simulated(),
      publicPool: "127.99.0.0/16", progress: ${progress} }).then((api) => console.log(api.url));`;

/** The API in a process of its own, to be killed. */
async function spawnApi(stateDir: string, progress: number) {
  const child = spawn(process.execPath, ["--eval", programFor(stateDir, progress)], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [url] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  const call = async (method: string, path: string, body?: object) => {
    const response = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body && { body: JSON.stringify(body) }),
    });
    // eslint-disable-next-line @typescript-eslint/no-explicit-any
    return { status: response.status, body: (await response.json()) as any };
  };
  const kill = async () => {
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  return { call, kill };
}

describe("kill -9", () => {
  let stateDir: string;
  beforeEach(() => {
    stateDir = mkdtempSync(join(tmpdir(), "archipelago-api-"));
  });
  afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

  it("loses nothing that was acknowledged, and what was under way goes on", async () => {
    const first = await spawnApi(stateDir, 1000);
    const tags = await Promise.all(
      Array.from({ length: 50 }, (_, i) => first.call("POST", "/v2/tags", { name: `t${i}` })),
    );
    const { body } = await first.call("POST", "/v2/droplets", {
      name: "web-1",
      region: "nyc3",
      size: "s-1vcpu-1gb",
      image: "debian-12-x64",
      tags: ["t1"],
    });
    expect(body.droplet.status).toBe("new");
    await first.kill();

    expect(tags.map(({ status }) => status)).toEqual(Array(50).fill(201));
    const second = await TestApi.start({ stateDir });
    expect((await second.get("/v2/tags")).body.meta.total).toBe(50);
    const path = `/v2/droplets/${body.droplet.id}`;
    const { body: after } = await second.until(path, (each) => each.body.droplet.status !== "new");
    expect(after.droplet).toMatchObject({ status: "active", tags: ["t1"] });
    const action = await second.get(`/v2/actions/${body.links.actions[0].id}`);
    expect(action.body.action.status).toBe("completed");
    await second.stop();
  }, 60_000);

  it("a second process is told who has the state, and what to do", async () => {
    const first = await spawnApi(stateDir, 0);
    await expect(TestApi.start({ stateDir })).rejects.toThrow(/is in use by process \d+: stop/);
    await first.kill();
    await (await TestApi.start({ stateDir })).stop();
  }, 60_000);

  const hasProc = existsSync("/proc/self/cmdline");
  if (!hasProc) console.warn("SKIPPED a dead process that has a number yet: no /proc here");
  (hasProc ? it : it.skip)(
    "a process that is dead has the state no longer, also before its parent has taken note",
    async () => {
      // Its parent becomes a program that never asks for it.
      const script = '"$0" --eval "$1" & echo $!; exec sleep 60';
      const parent = spawn("sh", ["-c", script, process.execPath, programFor(stateDir, 0)], {
        cwd: root,
        stdio: ["ignore", "pipe", "inherit"],
      });
      try {
        const lines = createInterface({ input: parent.stdout })[Symbol.asyncIterator]();
        const pid = Number((await lines.next()).value);
        await lines.next();
        await expect(TestApi.start({ stateDir })).rejects.toThrow(`is in use by process ${pid}`);
        process.kill(pid, "SIGKILL");
        await eventually(() => expect(readFileSync(`/proc/${pid}/stat`, "utf8")).toContain(") Z "));
        await (await TestApi.start({ stateDir })).stop();
      } finally {
        parent.kill();
      }
    },
    60_000,
  );

  it("the machines are told of the whole world again, with the power each had", async () => {
    const first = await TestApi.start({ stateDir });
    const on = await first.droplet({ name: "on" });
    const off = await first.droplet({ name: "off" });
    await first.settled(await first.post(`/v2/droplets/${off.id}/actions`, { type: "power_off" }));
    const { body } = await first.post("/v2/volumes", {
      name: "data",
      region: "nyc3",
      size_gigabytes: 1,
    });
    const attach = { type: "attach", droplet_id: on.id };
    await first.settled(await first.post(`/v2/volumes/${body.volume.id}/actions`, attach));
    await first.api.close();

    let world: World | undefined;
    class Remembering extends Simulated {
      override restore(given: World) {
        world = given;
        return super.restore(given);
      }
    }
    const second = await startApi({
      stateDir,
      tokens: [token],
      machines: new Remembering(),
      publicPool: "127.99.0.0/16",
    });
    expect(world?.droplets.map(({ name, power }) => [name, power])).toEqual([
      ["on", "on"],
      ["off", "off"],
    ]);
    expect(world?.volumes).toMatchObject([{ name: "data", dropletId: on.id }]);
    expect(world?.vpcs).toHaveLength(1);
    await second.close();
  });
});
