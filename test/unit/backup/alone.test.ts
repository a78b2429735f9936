import { mkdtempSync, rmSync } from "node:fs";
import { mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { alone, ASKED_BACKUP, BACKUP, RESTORE } from "../../../components/backup/agent/alone";
import type { Context } from "../../../components/backup/agent/context";
import type { Event } from "../../../components/backup/agent/progress";
import { eventually } from "../examples/harness";

let directory: string;
beforeEach(() => (directory = mkdtempSync(path.join(tmpdir(), "archipelago-alone-"))));
afterEach(() => rmSync(directory, { recursive: true }));

const lock = () => path.join(directory, "lock");
const backup = () => ({ ...BACKUP, lock: lock() });
const asked = () => ({ ...ASKED_BACKUP, lock: lock() });
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
    backup(),
  );
  await expect(alone(worker(), () => Promise.resolve(), backup())).rejects.toThrow(
    "a backup is being made already",
  );
  const told: Event[] = [];
  const order: string[] = [];
  const second = alone(worker(told), () => Promise.resolve(order.push("second")), asked());
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
  expect(await alone(worker(), () => Promise.resolve("made"), backup())).toBe("made");

  const stop = new AbortController();
  await alone(
    worker(),
    async () => {
      const waiting = alone(worker([], stop), () => Promise.resolve(), asked());
      stop.abort();
      await expect(waiting).rejects.toThrow("aborted");
    },
    backup(),
  );
});

test("a restore that is typed again waits until the one that was killed has cleared up, and not for one that goes on", async () => {
  let end = (): void => undefined;
  const restore = { ...RESTORE, lock: lock(), seconds: 0.1 };
  const cleared = jest.fn();
  const first = alone(
    worker(),
    async () => {
      await new Promise<void>((done) => (end = done));
      cleared();
    },
    restore,
  );
  await expect(alone(worker(), () => Promise.resolve(), restore)).rejects.toThrow(
    "another restore is at work",
  );
  const second = alone(worker(), () => Promise.resolve(cleared.mock.calls.length), {
    ...restore,
    seconds: 60,
  });
  end();
  expect(await second).toBe(1);
  await first;
});
