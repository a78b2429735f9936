/** Which processes the processor time of a Pulumi command goes to. On Linux only. */
import { descendantsOf, readOf } from "./proc";

/** By what is on its command line. */
const KINDS = [
  [/@pulumi\/pulumi\/cmd\/run/, "program"],
  [/pulumi-language-/, "language host"],
  [/pulumi-resource-(docker|digitalocean|swarm)/, "plugin"],
  [/\/pulumi (preview|up)\b/, "engine"],
] as const;

/** What Go programs do in the cloud: Pulumi's own language host and plugins. */
const STAND_INS = /^(language host|plugin docker|plugin digitalocean)$/;

const EVERY_MS = 50;

/** Processor seconds and number of the processes of one kind. */
export interface Share {
  readonly count: number;
  readonly cpuSeconds: number;
}
export type Shares = Readonly<Record<string, Share>>;

/** Watches what this process starts, until the function that is returned is called. */
export function watchProcesses(): () => Shares {
  const seen = new Map<number, { kind: string; cpuSeconds: number }>();
  const look = () => {
    for (const { pid, cpuSeconds } of descendantsOf(process.pid)) {
      const kind = kindOf(readOf(pid, "cmdline").replaceAll("\0", " "));
      if (kind !== "") seen.set(pid, { kind, cpuSeconds });
    }
  };
  const timer = setInterval(look, EVERY_MS);
  return () => {
    clearInterval(timer);
    const shares: Record<string, Share> = {};
    for (const { kind, cpuSeconds } of seen.values()) {
      const { count, cpuSeconds: others } = shares[kind] ?? { count: 0, cpuSeconds: 0 };
      shares[kind] = { count: count + 1, cpuSeconds: others + cpuSeconds };
    }
    return shares;
  };
}

/** Processor seconds of all that is no stand-in for a program in Go. */
export const cpuWithoutStandIns = (shares: Shares): number =>
  Object.entries(shares).reduce(
    (sum, [kind, { cpuSeconds }]) => (STAND_INS.test(kind) ? sum : sum + cpuSeconds),
    0,
  );

/** `program 2.1 s, 6 × plugin docker 1.2 s`, the greatest first. */
export const describeShares = (shares: Shares): string =>
  Object.entries(shares)
    .sort(([, a], [, b]) => b.cpuSeconds - a.cpuSeconds)
    .map(([kind, { count, cpuSeconds }]) =>
      [...(count > 1 ? [count, "×"] : []), kind, cpuSeconds.toFixed(2), "s"].join(" "),
    )
    .join(", ");

/** Empty for what is none of Pulumi's, as the local DigitalOcean's own process. */
function kindOf(commandLine: string): string {
  for (const [pattern, kind] of KINDS) {
    const match = pattern.exec(commandLine);
    if (match) return kind === "plugin" ? `plugin ${match[1]}` : kind;
  }
  return "";
}
