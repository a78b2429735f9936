import type { Webhook } from "../../webhook";
import { type Log, messageOf } from "./log";
import type { AlarmSeverity } from "./schedule";

/** Something an operator must know about one certificate. */
export interface Alarm {
  readonly name: string;
  readonly severity: AlarmSeverity;
  readonly message: string;
  /** Epoch milliseconds of the first failure in this row. */
  readonly since: number;
}

const REPEAT_MS = 24 * 3_600_000;

/** Alarms that are on: each is logged at every failure, and sent when it starts, worsens, ends, and once a day. */
export class Alarms {
  private readonly on = new Map<string, Alarm & { readonly sentAt: number }>();

  constructor(
    private readonly log: Log,
    private readonly now: () => number,
    private readonly webhook?: Webhook,
  ) {}

  get active(): Alarm[] {
    return [...this.on.values()].map(({ sentAt: _, ...alarm }) => alarm);
  }

  async raise(alarm: Omit<Alarm, "since">, details: Readonly<Record<string, unknown>>) {
    const known = this.on.get(alarm.name);
    const due =
      !known || known.severity !== alarm.severity || this.now() - known.sentAt >= REPEAT_MS;
    const entry = { ...alarm, since: known?.since ?? this.now() };
    this.on.set(alarm.name, { ...entry, sentAt: due ? this.now() : known.sentAt });
    this.log(alarm.severity === "critical" ? "error" : "warning", "certificate.alarm", {
      ...alarm,
      ...details,
    });
    if (due) await this.send({ ...entry, ...details, text: `${alarm.severity}: ${alarm.message}` });
  }

  async clear(name: string) {
    if (!this.on.delete(name)) return;
    const text = `resolved: the certificate for ${name} is in order again`;
    await this.send({ name, severity: "resolved", text });
  }

  private async send(body: Readonly<Record<string, unknown>>) {
    try {
      await this.webhook?.(body);
    } catch (error) {
      this.log("error", "alarm.webhook_failed", { error: messageOf(error) });
    }
  }
}
