/** Packet rules, bridges and devices belong to one kernel: whoever touches them takes this turn. */
export const KERNEL = "kernel";

/** Runs actions that share a key one after another, each whatever became of the one before. */
export class Turns {
  private readonly last = new Map<string, Promise<unknown>>();

  take<T>(key: string, action: () => Promise<T>): Promise<T> {
    const turn = (this.last.get(key) ?? Promise.resolve()).then(action);
    const settled = turn
      .catch(() => undefined)
      .then(() => {
        if (this.last.get(key) === settled) this.last.delete(key);
      });
    this.last.set(key, settled);
    return turn;
  }

  /** Resolves when everything that was under way has ended. */
  async settled(): Promise<void> {
    await Promise.all(this.last.values());
  }
}
