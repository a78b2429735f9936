import { readFileSync, readlinkSync } from "node:fs";
import { hostname, userInfo } from "node:os";

/** A process, in the lock: `ann@laptop 4711 <start> <place>`. The place is where process IDs mean the same. */
const FORMAT = /^(\S+) (\d+) (\d+) (\S+)$/;

/** This process. */
export function thisProcess(): string {
  return `${userInfo().username}@${hostname()} ${process.pid} ${startOf(process.pid)} ${place()}`;
}

/** Who holds the lock, for messages. */
export function describeOwner(owner: string): string {
  const [, who, pid] = FORMAT.exec(owner) ?? [];
  return who ? `${who} (process ${pid})` : owner;
}

/** Whether the owner ran here and has ended. Of what runs elsewhere nothing is known. */
export function hasEnded(owner: string): boolean {
  const [, , pid, start, where] = FORMAT.exec(owner) ?? [];
  if (where !== place()) return false;
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
  return startOf(Number(pid)) !== start;
}

/** Start time in clock ticks since boot: another process of the same number has another. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field, the program's name in brackets, may hold anything.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "0";
  } catch {
    return "0";
  }
}

function place(): string {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot}/${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    // Without /proc, as on macOS, process IDs are those of the machine.
    return hostname();
  }
}
