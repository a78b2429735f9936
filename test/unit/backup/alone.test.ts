import { mkdtempSync, rmSync } from "node:fs";
import { mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { alone } from "../../../components/backup/agent/alone";
import type { Context } from "../../../components/backup/agent/context";
import type { Event } from "../../../components/backup/agent/progress";
import { eventually } from "../examples/harness";

let directory: string;
beforeEach(() => (directory = mkdtempSync(path.join(tmpdir(), "archipelago-alone-"))));
afterEach(() => rmSync(directory, { recursive: true }));

const lock = () => path.join(directory, "lock");
const worker = (told: Event[] = [], stop = new AbortController()) =>
  ({ tell: (event) => void told.push(event), signal: stop.signal }) as Context;

test("a backup that is asked for while another one is made waits for it, and shows how far that one is", async () => {
  let end = (): void => undefined;
  const first = alone(
    worker(),
    async ({ tell }) => {
      tell({ event: "begins", what: "database app", total: 8 });
      await new Promise<void>((done) => (end = done));
      tell({ event: "done", backup: "1" });
    },
    { lock: lock() },
  );
  await expect(alone(worker(), () => Promise.resolve(), { lock: lock() })).rejects.toThrow(
    "a backup is being made already",
  );
  const told: Event[] = [];
  const order: string[] = [];
  const second = alone(worker(told), () => Promise.resolve(order.push("second")), {
    wait: true,
    lock: lock(),
  });
  await eventually(() =>
    expect(told).toEqual([
      { event: "note", text: expect.stringContaining("making a backup by itself") as string },
      { event: "begins", what: "database app", total: 8 },
    ]),
  );
  order.push("first");
  end();
  await Promise.all([first, second]);
  expect(order).toEqual(["first", "second"]);
  expect(told.filter(({ event }) => event === "done")).toEqual([]);
});

test("what a killed backup left keeps nobody waiting, and who waits can leave", async () => {
  mkdirSync(lock());
  writeFileSync(path.join(lock(), "pid"), String(2 ** 22 + 1));
  expect(await alone(worker(), () => Promise.resolve("made"), { lock: lock() })).toBe("made");

  const stop = new AbortController();
  await alone(
    worker(),
    async () => {
      const waiting = alone(worker([], stop), () => Promise.resolve(), {
        wait: true,
        lock: lock(),
      });
      stop.abort();
      await expect(waiting).rejects.toThrow("aborted");
    },
    { lock: lock() },
  );
});
