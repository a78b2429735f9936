import type { Readable } from "node:stream";
import type { RunningTask, Streams } from "../../../scripts/operator/one-off";
import { type AgentEvent, askTask } from "../../../scripts/backup/agent";

/** What the agent in the task does: an exit status. */
let agent: (streams: Streams) => Promise<number>;
jest.mock("../../../scripts/operator/one-off", () => ({
  runInside: (_task: unknown, _command: unknown, streams: Streams) => agent(streams),
}));

const say = ({ onStdout }: Streams, event: object) =>
  onStdout?.(Buffer.from(`${JSON.stringify(event)}\n`));

/** Lines that the agent is sent, until there are no more. */
const linesTo = ({ stdin }: Streams) => (stdin as Readable)[Symbol.asyncIterator]();

const ask = async (
  log: string[],
  whileStopped: (services: readonly string[], work: () => Promise<void>) => Promise<void>,
) => {
  const onEvent = ({ event }: AgentEvent) => void log.push(event);
  return askTask({} as RunningTask, ["agent"], onEvent, { backup: "b" }, whileStopped);
};

test("services are stopped when the agent is ready, and started when it has ended", async () => {
  const log: string[] = [];
  agent = async (streams) => {
    const lines = linesTo(streams);
    await lines.next();
    say(streams, { event: "stop", services: ["web"] });
    log.push(String((await lines.next()).value).trim());
    say(streams, { event: "done" });
    return 0;
  };
  const code = await ask(log, async (services, work) => {
    log.push(`stops ${services.join()}`);
    await work();
    log.push("starts");
  });
  expect(code).toBe(0);
  expect(log).toEqual(["stop", "stops web", "stopped", "done", "starts"]);
});

test("where a service does not stop, the agent hears the end of its input, and the command says why", async () => {
  const log: string[] = [];
  agent = async (streams) => {
    const lines = linesTo(streams);
    await lines.next();
    say(streams, { event: "stop", services: ["web"] });
    log.push(String((await lines.next()).done));
    return 1;
  };
  const stuck = () => Promise.reject(new Error("web did not stop within 120 s."));
  await expect(ask(log, stuck)).rejects.toThrow("web did not stop");
  expect(log).toEqual(["stop", "true"]);
});
