import type { Context } from "./context";

/** Work that outlives the request that asked for it, kept in the store until it is done. */
export interface Job {
  readonly id: number;
  /** Name of a transition. */
  readonly kind: string;
  readonly params: JobParams;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly actionId: number | undefined;
}

/** What a job is about: a Droplet, a Volume, an address, … */
export interface JobParams {
  readonly dropletId?: number;
  readonly volumeId?: string;
  readonly vpcId?: string;
  readonly loadBalancerId?: string;
  readonly certificateId?: string;
  readonly databaseId?: string;
  readonly replicaId?: string;
  readonly peeringId?: string;
  readonly gatewayId?: string;
  readonly poolId?: string;
  readonly seconds?: number;
  readonly version?: string;
  readonly ip?: string;
  readonly size?: string;
  readonly disk?: boolean;
  readonly name?: string;
  readonly imageId?: number;
  readonly sizeGib?: number;
}

/**
 * One declared change of state. `perform` is done again after a crash, so it is idempotent, and so are the two that run
 * in a transaction.
 */
export interface Transition {
  /** How long DigitalOcean takes, roughly; nothing in immediate mode. */
  readonly seconds: number;
  /** The same where it hangs on the job. @default `seconds` */
  lasts?(params: JobParams): number;
  /** Changes reality. */
  perform?(context: Context, params: JobParams): Promise<void>;
  /** New state that the network rules must reflect before anybody is told that it is done. */
  apply?(context: Context, params: JobParams): void;
  /** The final state. */
  finish?(context: Context, params: JobParams): void;
  /** The state after a failure. `message` is for the operator. */
  fail?(context: Context, params: JobParams, message: string): void;
}

/** `immediate`: no waits; `realistic`: DigitalOcean-like; a number: that many times DigitalOcean's (0.1 = ten times faster). */
export type Progress = "immediate" | "realistic" | number;

/** Runs jobs, now and after a restart. */
export class Lifecycle {
  private readonly running = new Map<number, Promise<void>>();
  private readonly timers = new Map<NodeJS.Timeout, () => void>();
  private fresh: Job[] = [];
  private closed = false;
  progress: Progress;

  constructor(
    private readonly context: () => Context,
    private readonly transitions: Readonly<Record<string, Transition>>,
    progress: Progress,
  ) {
    this.progress = progress;
  }

  get scale(): number {
    if (this.progress === "immediate") return 0;
    return this.progress === "realistic" ? 1 : this.progress;
  }

  /** Whether it has been told to stop: what is under way goes on at the next start. */
  get isClosed(): boolean {
    return this.closed;
  }

  /** Resolves when the jobs that are under way about something have ended, however. */
  async idle(about: (params: JobParams) => boolean): Promise<void> {
    const jobs = this.context().store.jobs.filter(({ params }) => about(params));
    await Promise.allSettled(jobs.map(async ({ id }) => this.running.get(id)));
  }

  /** Writes a job down; call inside a transaction. It starts when the transaction has committed. */
  begin(kind: string, params: JobParams, actionId?: number): void {
    const { store, now } = this.context();
    const job: Job = {
      id: store.nextId("job"),
      kind,
      params,
      startedAt: now().getTime(),
      actionId,
    };
    store.jobs.put(job.id, job);
    this.fresh.push(job);
  }

  /**
   * Runs `work` in one transaction and then starts the jobs it began.
   *
   * @returns its value, and a promise that settles with those jobs (rejecting with the first failure).
   */
  commit<T>(work: () => T): { value: T; settled: Promise<void> } {
    this.fresh = [];
    const value = this.context().store.transaction(work);
    const started = this.fresh.map((job) => this.run(job));
    this.fresh = [];
    const settled = Promise.all(started).then(() => undefined);
    settled.catch(() => undefined);
    return { value, settled };
  }

  /** Goes on with what a previous process left undone. */
  resume(): void {
    for (const job of this.context().store.jobs.all()) void this.run(job).catch(() => undefined);
  }

  private run(job: Job): Promise<void> {
    const known = this.running.get(job.id);
    if (known) return known;
    const done = this.execute(job).finally(() => this.running.delete(job.id));
    this.running.set(job.id, done);
    return done;
  }

  private async execute(job: Job): Promise<void> {
    const context = this.context();
    const transition = this.transitions[job.kind];
    if (!transition) throw new Error(`the state names an unknown transition: ${job.kind}`);
    try {
      await Promise.all([
        transition.perform?.(context, job.params),
        this.until(
          job.startedAt +
            (transition.lasts?.(job.params) ?? transition.seconds) * this.scale * 1000,
        ),
      ]);
      if (this.closed) return;
      if (transition.apply) {
        context.store.transaction(() => transition.apply?.(context, job.params));
        await context.network.sync();
      }
      if (this.closed) return;
      context.store.transaction(() => {
        transition.finish?.(context, job.params);
        this.settle(job, "completed");
      });
    } catch (error) {
      if (this.closed) return;
      const message = error instanceof Error ? error.message : String(error);
      context.log(`${job.kind} failed: ${message}`);
      context.store.transaction(() => {
        transition.fail?.(context, job.params, message);
        this.settle(job, "errored", message);
      });
      // What `fail` put back holds for packets, too.
      if (transition.apply) await context.network.sync().catch(() => undefined);
      throw error;
    }
  }

  private settle(job: Job, status: "completed" | "errored", failure?: string): void {
    const { store, now } = this.context();
    store.jobs.remove(job.id);
    if (job.actionId !== undefined)
      store.actions.patch(job.actionId, { status, completedAt: now().toISOString(), failure });
  }

  private until(time: number): Promise<void> {
    const left = time - this.context().now().getTime();
    if (left <= 0 || this.closed) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.timers.delete(timer);
        resolve();
      }, left);
      this.timers.set(timer, resolve);
    });
  }

  /** Stops without finishing: what is undone stays in the store for the next start. */
  async close(): Promise<void> {
    this.closed = true;
    for (const [timer, resolve] of this.timers) {
      clearTimeout(timer);
      resolve();
    }
    await Promise.allSettled(this.running.values());
  }
}
