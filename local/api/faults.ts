import { z } from "zod";

/** A failure to play to the next requests that match. For tests; never on by itself. */
export const fault = z.object({
  /** HTTP method; any when not given. */
  method: z.string().optional(),
  /** Regular expression for the path, without the query. */
  path: z.string().default(".*"),
  /** How many requests are hit. */
  times: z.number().int().min(1).default(1),
  /** Answer with this status, … */
  status: z.number().int().min(400).max(599).optional(),
  /** … or drop the connection without an answer. */
  drop: z.boolean().default(false),
  /** `before`: nothing happens; `after`: the request is carried out and its answer is lost. */
  when: z.enum(["before", "after"]).default("before"),
});

export type Fault = z.input<typeof fault>;

export class Faults {
  private pending: z.output<typeof fault>[];

  constructor(faults: readonly Fault[] = []) {
    this.pending = faults.map((each) => fault.parse(each));
  }

  /** Replaces those that have not struck yet. */
  set(faults: readonly Fault[]): void {
    this.pending = faults.map((each) => fault.parse(each));
  }

  get left(): number {
    return this.pending.reduce((sum, each) => sum + each.times, 0);
  }

  /** The fault that strikes this request, if any; it counts as struck. */
  strike(when: "before" | "after", method: string, url: string) {
    const path = url.split("?")[0] ?? "";
    const found = this.pending.find(
      (each) =>
        each.when === when &&
        (!each.method || each.method.toUpperCase() === method) &&
        new RegExp(`^${each.path}$`).test(path),
    );
    if (!found) return undefined;
    const left = { ...found, times: found.times - 1 };
    this.pending = this.pending.flatMap((each) =>
      each !== found ? [each] : left.times > 0 ? [left] : [],
    );
    return found;
  }
}
