/**
 * Makes reality match the state, one round at a time. Calls that come during a round share the next one, which
 * sees the state as it is when it begins.
 */
export class Rounds {
  private running: Promise<void> = Promise.resolve();
  private next: Promise<void> | undefined;

  constructor(private readonly round: () => Promise<void>) {}

  /** Resolves after a round that began after this call. */
  run(): Promise<void> {
    this.next ??= this.running
      .catch(() => undefined)
      .then(() => {
        this.next = undefined;
        this.running = this.round();
        return this.running;
      });
    return this.next;
  }
}
