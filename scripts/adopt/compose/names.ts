/** Names of services, and which of them only run before others. */
import type { Notes } from "./conversion";
import type { ComposeService } from "./service";
import { textOf } from "./values";

/** Names of services that Archipelago adds itself. */
const TAKEN_NAMES = ["edge", "edge-agent", "postgres", "pgbouncer", "cache", "scheduler"];

/** Services that run once before another one start are that one's `release`. */
export function takeReleases(services: readonly ComposeService[], notes: Notes) {
  const releases = new Map<string, readonly string[]>();
  const once = new Set<ComposeService>();
  for (const service of services) {
    for (const [other, condition] of Object.entries(service.dependsOn)) {
      const before = services.find(({ name }) => name === other);
      if (condition !== "service_completed_successfully" || before === undefined) continue;
      once.add(before);
      const same =
        before.image === service.image && before.build?.context === service.build?.context;
      const command = [...(before.entrypoint ?? []), ...(before.command ?? [])];
      if (same && command.length > 0 && ![...releases.values()].includes(command)) {
        releases.set(service.name, command);
      }
    }
  }
  for (const { name } of once) {
    const [user] =
      [...releases].find(([user]) => services.find((one) => one.name === user)?.dependsOn[name]) ??
      [];
    if (user === undefined) {
      notes
        .of(name)
        .lost(
          "command",
          "it runs once, and a service of a stack runs on",
          "put it into the image of the service that waits for it, and make it that one's release",
        );
    } else
      notes
        .of(name)
        .changed("command", `it is the release of ${user}: it runs once before each deploy`);
  }
  // One of the services that wait is enough: they are of one image.
  const [first] = releases;
  return {
    apps: services.filter((service) => !once.has(service)),
    releases: new Map(first === undefined ? [] : [first]),
  };
}

/** Names as a stack file allows them. */
export function newNames(
  services: readonly ComposeService[],
  notes: Notes,
): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const { name } of services) {
    const plain = name
      .toLowerCase()
      .replaceAll(/[^a-z0-9-]+/g, "-")
      .replace(/^[^a-z]+/, "")
      .slice(0, 30)
      .replace(/-+$/, "");
    const given = plain === "" ? "app" : plain;
    const chosen = TAKEN_NAMES.includes(given) ? `${given}-service` : given;
    if (chosen !== name) {
      notes.of(name).changed("services", `it is called ${chosen}, and found by that name`);
    }
    names.set(name, chosen);
  }
  return names;
}

/** Old names of hosts, and what they are now: services that were renamed, and names of containers. */
export function hostNames(services: readonly ComposeService[], names: ReadonlyMap<string, string>) {
  const hosts = new Map<string, string>();
  for (const { name, raw } of services) {
    const now = names.get(name) ?? name;
    for (const old of [name, textOf(raw.container_name), textOf(raw.hostname)]) {
      if (old !== undefined && old !== now) hosts.set(old, now);
    }
  }
  return hosts;
}
