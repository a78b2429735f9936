import { setTimeout as wait } from "node:timers/promises";
import type { Reports } from "./database";

/** How long an empty queue is left alone. */
const IDLE_MS = 500;
/** How often lost reports are looked for. */
const MAINTENANCE_MS = 3000;

/** Works on reports, one at a time, until it is told to stop. */
export class Worker {
  private readonly stopping = new AbortController();
  private readonly cutting = new AbortController();
  private readonly ended: Promise<unknown>;

  constructor(reports: Reports, node: string) {
    this.ended = Promise.all([
      this.repeat(IDLE_MS, () => reports.work(node, this.cutting.signal)),
      this.repeat(MAINTENANCE_MS, () => reports.maintain()),
    ]);
  }

  /** Takes no new report and finishes the one at hand; after `limitMs` it is given back. */
  async stop(limitMs: number): Promise<void> {
    this.stopping.abort();
    const cut = setTimeout(() => this.cutting.abort(), limitMs);
    await this.ended;
    clearTimeout(cut);
  }

  /** Again and again, at once as long as there is something to do. Errors are logged: the database may be away. */
  private async repeat(idleMs: number, step: () => Promise<boolean | void>): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const busy = await step().catch((error: unknown) => {
        console.error(`reports: ${error instanceof Error ? error.message : String(error)}`);
        return false;
      });
      if (busy !== true) await wait(idleMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
