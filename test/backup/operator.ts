/** Operator's commands, whose agent works in this process: the rest is as in a stack. */
import type { Readable } from "node:stream";
import { type Asked, restoreAsked } from "../../components/backup/agent/asked";
import { type Context, within } from "../../components/backup/agent/context";
import { list } from "../../components/backup/agent/list";
import { run } from "../../components/backup/agent/run";
import type { BackupSettings } from "../../components/backup/settings";
import type { RunningTask, Streams } from "../../scripts/operator/one-off";

/** In place of `runInside`: does what the agent's program does in its task. @returns its exit status. */
export const agentWith =
  (settings: () => BackupSettings) =>
  async (
    _task: RunningTask,
    command: readonly string[],
    { stdin, onStdout }: Streams,
  ): Promise<number> => {
    const tell: Context["tell"] = (event) => onStdout?.(Buffer.from(`${JSON.stringify(event)}\n`));
    const mode = command.at(-1);
    const work = async (context: Context): Promise<number> => {
      if (mode === "list") return (await list(context)) ? 0 : 1;
      if (mode === "run") await run(context);
      else {
        const lines = (stdin as Readable)[Symbol.asyncIterator]();
        const { value } = (await lines.next()) as { value: unknown };
        await restoreAsked(context, JSON.parse(String(value)) as Asked, () => lines.next());
      }
      return 0;
    };
    const { signal } = new AbortController();
    return within(settings(), { tell, signal }, work).catch((error: Error) => {
      tell({ event: "failed", text: error.message });
      return 1;
    });
  };

/** @returns what a command printed, and its exit status. */
export async function typed(
  command: () => Promise<number>,
): Promise<{ readonly code: number; readonly said: string }> {
  let said = "";
  const spies = [process.stdout, process.stderr].map((stream) =>
    jest.spyOn(stream, "write").mockImplementation((text) => {
      said += String(text);
      return true;
    }),
  );
  try {
    return { code: await command(), said };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
