/** A health check of the compose file as one by HTTP. */
import type { Notes } from "./conversion";
import type { ComposeHealth } from "./service";

const URL_IN_TEST =
  /https?:\/\/(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\]|\$\{?HOSTNAME\}?)(?::(\d+))?(\/[^\s"'`|;&)\]]*)?/;

export interface HealthTarget {
  readonly port: number;
  readonly path: string;
}

/** What curl, wget or a line of Python asks for; undefined where the test is something else. */
export function healthTarget(health: ComposeHealth | undefined): HealthTarget | undefined {
  const [whole, port, path = "/"] = URL_IN_TEST.exec((health?.test ?? []).join(" ")) ?? [];
  if (whole === undefined) return undefined;
  return { port: Number(port ?? (whole.startsWith("https") ? 443 : 80)), path };
}

type Said = Omit<ComposeHealth, "test">;

const LIMITS: Readonly<Record<keyof Said, readonly [least: number, most: number]>> = {
  intervalSeconds: [1, 300],
  timeoutSeconds: [1, 60],
  retries: [1, 10],
  startPeriodSeconds: [0, 600],
};

/** @returns `health` of the service; undefined where the defaults do. */
export function convertHealth(
  health: ComposeHealth | undefined,
  port: number | undefined,
  notes: Notes,
): Record<string, unknown> | undefined {
  if (health === undefined) {
    if (port !== undefined) {
      notes.todo(
        "healthcheck",
        "has none, so / is asked: it must answer 2xx or 3xx",
        "set health.path, if another path tells better whether the app is well",
      );
    }
    return undefined;
  }
  if (port === undefined) {
    notes.changed(
      "healthcheck",
      "a service without an HTTP port is looked after by its process alone",
    );
    return undefined;
  }
  const target = healthTarget(health);
  if (target === undefined) {
    const off = health.test[0] === "NONE";
    notes.todo(
      "healthcheck",
      off
        ? "a service with a port is always checked, so / is asked: it must answer 2xx or 3xx"
        : "its test asks nothing by HTTP, so / is asked instead: it must answer 2xx or 3xx",
      "set health.path",
    );
  }
  const { test: _, ...said } = health;
  const times = Object.entries(said).flatMap(([key, value]) => {
    const [least, most] = LIMITS[key as keyof Said];
    return [[key, Math.min(most, Math.max(least, Math.ceil(value)))]];
  });
  return { ...(target && { path: target.path }), ...(Object.fromEntries(times) as object) };
}
