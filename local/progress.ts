/** Progress of long work on the terminal: one line a step, refreshed in place where there is a terminal. */
import pc from "picocolors";

const QUIET_SECONDS_BETWEEN_LINES = 30;

export interface Step {
  /** Says what is being done right now. */
  note(text: string): void;
}

/** Runs `work` and shows its title, its notes and the time it took. Steps may run side by side. */
export async function step<T>(title: string, work: (step: Step) => Promise<T>): Promise<T> {
  const out = process.stderr;
  const started = Date.now();
  let note = "";
  let lastLine = 0;
  const seconds = () => Math.round((Date.now() - started) / 1000);
  const line = (mark: string, text: string) =>
    `${mark} ${title}${text ? pc.dim(`: ${text}`) : ""} ${pc.dim(`(${seconds()} s)`)}`;
  const show = () => {
    if (Date.now() - lastLine < QUIET_SECONDS_BETWEEN_LINES * 1000) return;
    lastLine = Date.now();
    out.write(`${line(pc.dim("…"), note)}\n`);
  };
  const timer = setInterval(show, 1000);
  timer.unref();
  try {
    const result = await work({
      note(text) {
        if (text === note) return;
        note = text;
        show();
      },
    });
    // A step that was over at once, with nothing to tell, is no news.
    if (note || seconds() >= 2) out.write(`${line(pc.green("✓"), "")}\n`);
    return result;
  } catch (error) {
    out.write(`${line(pc.red("✗"), note)}\n`);
    throw error;
  } finally {
    clearInterval(timer);
  }
}
