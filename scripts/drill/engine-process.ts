import * as fs from "node:fs";

/** Process id of the Pulumi engine that runs right below a process; undefined when none does. Linux. */
export function engineBelow(parent: number): number | undefined {
  for (const entry of fs.readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = fs.readFileSync(`/proc/${entry}/stat`, "utf8");
      const [, name, , ppid] = /^\d+ \((.+)\) (\S) (\d+)/.exec(stat) ?? [];
      if (name === "pulumi" && Number(ppid) === parent) return Number(entry);
    } catch {
      // It ended while we looked.
    }
  }
  return undefined;
}
