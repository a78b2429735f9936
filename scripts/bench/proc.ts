/** Processes as Linux shows them: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html. Elsewhere there are none. */
import * as fs from "node:fs";

/** Linux counts processor time in hundredths of a second, whatever its own clock (`USER_HZ`). */
const TICKS_PER_SECOND = 100;

/** Of memory, which is how /proc counts it. https://man7.org/linux/man-pages/man5/proc_pid_statm.5.html */
const PAGE_BYTES = 4096;

export interface Process {
  readonly pid: number;
  readonly parent: number;
  /** Of its own, in user and kernel. */
  readonly cpuSeconds: number;
  /** The same of what it has started, and waited for to its end, with all that those started. */
  readonly cpuSecondsOfChildren: number;
}

/** @returns undefined when there is no such process any more. */
export function processOf(pid: number): Process | undefined {
  const stat = readOf(pid, "stat");
  if (stat === "") return undefined;
  // Its name, in parentheses, may have blanks. The numbers behind are those of the manual, less three.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const seconds = (...places: readonly number[]) =>
    places.reduce((sum, place) => sum + Number(fields[place]), 0) / TICKS_PER_SECOND;
  return {
    pid,
    parent: Number(fields[1]),
    cpuSeconds: seconds(11, 12),
    cpuSecondsOfChildren: seconds(13, 14),
  };
}

/** What a process has started, with all that those started; without itself. */
export function descendantsOf(root: number): Process[] {
  if (!fs.existsSync("/proc/self/stat")) return [];
  const running = fs
    .readdirSync("/proc")
    .flatMap((name) => (/^\d+$/.test(name) ? (processOf(Number(name)) ?? []) : []));
  const found: Process[] = [];
  const below = (above: number) => running.filter(({ parent }) => parent === above);
  found.push(...below(root));
  for (const { pid } of found) found.push(...below(pid));
  return found;
}

/** What a process and all that it started have in memory, bytes. */
export function treeBytes(root: number): number {
  const tree = [root, ...descendantsOf(root).map(({ pid }) => pid)];
  return tree.reduce((sum, pid) => sum + residentBytes(pid), 0);
}

const residentBytes = (pid: number) => Number(readOf(pid, "statm").split(" ")[1] ?? 0) * PAGE_BYTES;

/** A file of `/proc/<pid>`; empty when the process has ended. */
export function readOf(pid: number, file: string): string {
  try {
    return fs.readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
