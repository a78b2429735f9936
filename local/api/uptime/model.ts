import { timestamp } from "../context";
import type { Notifications } from "../notifications";

export const uptimeRegions = ["us_east", "us_west", "eu_west", "se_asia"] as const;

export interface UptimeAlertRecord {
  readonly id: string;
  readonly name: string;
  readonly type: "latency" | "down" | "down_global" | "ssl_expiry";
  /** Milliseconds, or for `ssl_expiry` days. */
  readonly threshold: number | undefined;
  readonly comparison: "greater_than" | "less_than" | undefined;
  readonly period: string | undefined;
  readonly notifications: Notifications;
}

export interface Outage {
  /** ISO 8601. */
  readonly startedAt: string;
  readonly endedAt: string;
}

export interface UptimeCheckRecord {
  readonly id: string;
  readonly name: string;
  readonly type: "ping" | "http" | "https";
  readonly target: string;
  readonly regions: readonly (typeof uptimeRegions)[number][];
  readonly enabled: boolean;
  readonly alerts: readonly UptimeAlertRecord[];
  /** What was found when somebody last looked; undefined before. */
  readonly state: { readonly status: "UP" | "DOWN"; readonly changedAt: string } | undefined;
  readonly lastOutage: Outage | undefined;
  /** ISO 8601. */
  readonly createdAt: string;
}

export const checkView = ({ id, name, type, target, regions, enabled }: UptimeCheckRecord) => ({
  id,
  name,
  type,
  target,
  regions,
  enabled,
});

export const alertView = (alert: UptimeAlertRecord) => ({
  id: alert.id,
  name: alert.name,
  type: alert.type,
  ...(alert.threshold !== undefined && { threshold: alert.threshold }),
  ...(alert.comparison !== undefined && { comparison: alert.comparison }),
  ...(alert.period !== undefined && { period: alert.period }),
  notifications: alert.notifications,
});

const monthMilliseconds = 30 * 86_400_000;

/** A check's record after a look. */
export function observed(
  check: UptimeCheckRecord,
  found: boolean | undefined,
  at: string,
): UptimeCheckRecord {
  if (found === undefined) return check;
  const status = found ? "UP" : "DOWN";
  if (check.state?.status === status) return check;
  return {
    ...check,
    state: { status, changedAt: at },
    ...(check.state?.status === "DOWN" && {
      lastOutage: { startedAt: check.state.changedAt, endedAt: at },
    }),
  };
}

function uptimePercent({ state, lastOutage }: UptimeCheckRecord, now: Date): number {
  const since = now.getTime() - monthMilliseconds;
  const down = (from: string, to: number) => Math.max(0, to - Math.max(since, Date.parse(from)));
  const past = lastOutage ? down(lastOutage.startedAt, Date.parse(lastOutage.endedAt)) : 0;
  const present = state?.status === "DOWN" ? down(state.changedAt, now.getTime()) : 0;
  return 100 * (1 - Math.max(0, past + present) / monthMilliseconds);
}

/** The same from every region: all of them are this machine. */
export function stateView(check: UptimeCheckRecord, now: Date) {
  const { state, lastOutage, regions } = check;
  const region = {
    status: state?.status ?? "CHECKING",
    status_changed_at: timestamp(new Date(state?.changedAt ?? check.createdAt)),
    thirty_day_uptime_percentage: uptimePercent(check, now),
  };
  return {
    regions: Object.fromEntries(regions.map((name) => [name, region])),
    previous_outage: {
      region: lastOutage ? (regions[0] ?? "") : "",
      started_at: lastOutage ? timestamp(new Date(lastOutage.startedAt)) : "",
      ended_at: lastOutage ? timestamp(new Date(lastOutage.endedAt)) : "",
      duration_seconds: lastOutage
        ? Math.round((Date.parse(lastOutage.endedAt) - Date.parse(lastOutage.startedAt)) / 1000)
        : 0,
    },
  };
}
