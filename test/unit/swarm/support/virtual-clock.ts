import type { Clock } from "../../../../providers/swarm/protocol/resource";

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/** Time that passes only when everybody waits: hours of a swarm take milliseconds, and always come out the same. */
export class VirtualClock implements Clock {
  private time = 0;
  private sleepers: Sleeper[] = [];
  private isDue = false;

  /** @param tick what the world does in each second. */
  constructor(private readonly tick: () => void) {}

  now(): number {
    return this.time;
  }

  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleeper: Sleeper = {
        at: this.time + milliseconds,
        wake: () => {
          signal?.removeEventListener("abort", cancel);
          resolve();
        },
      };
      const cancel = () => {
        this.sleepers = this.sleepers.filter((each) => each !== sleeper);
        reject(signal?.reason as Error);
      };
      if (signal?.aborted) return cancel();
      signal?.addEventListener("abort", cancel, { once: true });
      this.sleepers.push(sleeper);
      this.comeDue();
    });
  }

  /** Once whatever can go on without time passing has done so, the one that waits for the earliest moment is woken. */
  private comeDue(): void {
    if (this.isDue) return;
    this.isDue = true;
    setImmediate(() => {
      this.isDue = false;
      const [first] = this.sleepers.sort((a, b) => a.at - b.at);
      if (!first) return;
      while (this.time < first.at) {
        this.time = Math.min(this.time + 1000, first.at);
        this.tick();
      }
      this.sleepers.shift();
      first.wake();
      if (this.sleepers.length > 0) this.comeDue();
    });
  }
}
