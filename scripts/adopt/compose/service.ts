/** One service of a compose file, whichever way each thing was said. */
import { Fault } from "../../../local/fault";
import { byName } from "./merge";
import {
  isMapping,
  isTrue,
  listOf,
  type Mapping,
  mappingOf,
  mibOf,
  secondsOf,
  textOf,
  variablesOf,
  wordsOf,
} from "./values";

export interface ComposePort {
  /** In the container. */
  readonly target: number;
  /** On the host; absent where Docker chooses. */
  readonly published?: number;
  /** Address of the host that it is bound to. @default all */
  readonly hostIp?: string;
  readonly protocol: "tcp" | "udp";
}

export interface ComposeMount {
  readonly type: "volume" | "bind" | "tmpfs" | "other";
  /** Name of a volume, or an absolute path of the host; absent for an anonymous volume. */
  readonly source?: string;
  /** Absolute path in the container. */
  readonly target: string;
  readonly readOnly: boolean;
}

export interface ComposeHealth {
  /** What runs: `["CMD", …]`, `["CMD-SHELL", line]`, `["NONE"]`. */
  readonly test: readonly string[];
  readonly intervalSeconds?: number;
  readonly timeoutSeconds?: number;
  readonly startPeriodSeconds?: number;
  readonly retries?: number;
}

export interface ComposeService {
  readonly name: string;
  readonly image?: string;
  readonly build?: Mapping & { readonly context: string };
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  /** `null` = taken from outside, and not set there. */
  readonly environment: Readonly<Record<string, string | null>>;
  readonly ports: readonly ComposePort[];
  readonly expose: readonly number[];
  readonly health?: ComposeHealth;
  /** Service → condition. */
  readonly dependsOn: Readonly<Record<string, string>>;
  readonly mounts: readonly ComposeMount[];
  /** Names of top-level secrets, and of the files in the container. */
  readonly secrets: readonly { readonly source: string; readonly target: string }[];
  readonly replicas?: number;
  readonly cpus?: number;
  readonly memoryMib?: number;
  readonly labels: Readonly<Record<string, string | null>>;
  /** As it was written, for what has no place above. */
  readonly raw: Mapping;
}

/** @throws {Fault} for a port, a mount or an amount that is none. */
export function composeService(name: string, raw: Mapping): ComposeService {
  const deploy = mappingOf(raw.deploy);
  const limits = mappingOf(mappingOf(deploy.resources).limits);
  const [command, entrypoint] = [wordsOf(raw.command), wordsOf(raw.entrypoint)];
  const replicas = textOf(deploy.replicas) ?? textOf(raw.scale);
  const cpus = textOf(limits.cpus) ?? textOf(raw.cpus);
  const memoryMib = mibOf(limits.memory) ?? mibOf(raw.mem_limit);
  const image = textOf(raw.image);
  const health = healthOf(raw.healthcheck);
  return {
    name,
    ...(image !== undefined && { image }),
    ...(isMapping(raw.build) && {
      build: { ...raw.build, context: textOf(raw.build.context) ?? "." },
    }),
    ...(command && { command }),
    ...(entrypoint && { entrypoint }),
    environment: variablesOf(raw.environment),
    ports: listOf(raw.ports).flatMap((port) => portOf(port)),
    expose: listOf(raw.expose).map((port) => Number.parseInt(textOf(port) ?? "", 10)),
    ...(health && { health }),
    dependsOn: Object.fromEntries(
      Object.entries(byName(raw.depends_on)).map(([other, said]) => [
        other,
        textOf(mappingOf(said).condition) ?? "service_started",
      ]),
    ),
    mounts: listOf(raw.volumes).map(mountOf),
    secrets: listOf(raw.secrets).map(secretOf),
    ...(replicas !== undefined && { replicas: Number(replicas) }),
    ...(cpus !== undefined && { cpus: Number(cpus) }),
    ...(memoryMib !== undefined && { memoryMib }),
    labels: { ...variablesOf(raw.labels), ...variablesOf(deploy.labels) },
    raw,
  };
}

/** Ports may be ranges: each is one. */
function portOf(port: unknown): ComposePort[] {
  if (isMapping(port)) {
    const published = textOf(port.published);
    const hostIp = textOf(port.host_ip);
    return [
      {
        target: Number(textOf(port.target)),
        ...(published !== undefined && { published: Number.parseInt(published, 10) }),
        ...(hostIp !== undefined && { hostIp }),
        protocol: port.protocol === "udp" ? "udp" : "tcp",
      },
    ];
  }
  const text = textOf(port) ?? "";
  const [, hostIp, published, target, protocol] =
    /^(?:(?:(\[[^\]]+\]|[\d.]+):)?(\d+(?:-\d+)?)?:)?(\d+(?:-\d+)?)(?:\/(tcp|udp))?$/.exec(text) ??
    [];
  if (target === undefined) throw new Fault(`"${text}" is no port of Compose's forms.`);
  const inside = range(target);
  const outside = published === undefined ? [] : range(published);
  return inside.map((one, index) => ({
    target: one,
    ...(outside[index] !== undefined && { published: outside[index] }),
    ...(hostIp !== undefined && { hostIp }),
    protocol: protocol === "udp" ? "udp" : "tcp",
  }));
}

function range(text: string): number[] {
  const [first = 0, last = first] = text.split("-").map(Number);
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

function mountOf(mount: unknown): ComposeMount {
  if (isMapping(mount)) {
    const [type, source] = [textOf(mount.type) ?? "volume", textOf(mount.source)];
    return {
      type: type === "volume" || type === "bind" || type === "tmpfs" ? type : "other",
      ...(source !== undefined && { source }),
      target: textOf(mount.target) ?? "",
      readOnly: isTrue(mount.read_only),
    };
  }
  const parts = (textOf(mount) ?? "").split(":");
  if (parts.length === 1) return { type: "volume", target: parts[0] ?? "", readOnly: false };
  const [source = "", target = "", flags = ""] = parts;
  return {
    type: source.startsWith("/") || source.startsWith("~") ? "bind" : "volume",
    source,
    target,
    readOnly: flags.split(",").includes("ro"),
  };
}

function secretOf(secret: unknown): { source: string; target: string } {
  const source = (isMapping(secret) ? textOf(secret.source) : textOf(secret)) ?? "";
  const target = (isMapping(secret) ? textOf(secret.target) : undefined) ?? source;
  return { source, target: target.replace(/^\/run\/secrets\//, "") };
}

function healthOf(raw: unknown): ComposeHealth | undefined {
  if (!isMapping(raw)) return undefined;
  if (isTrue(raw.disable)) return { test: ["NONE"] };
  const test = Array.isArray(raw.test)
    ? raw.test.map((word) => textOf(word) ?? "")
    : ["CMD-SHELL", textOf(raw.test) ?? ""];
  const times = {
    intervalSeconds: secondsOf(raw.interval),
    timeoutSeconds: secondsOf(raw.timeout),
    startPeriodSeconds: secondsOf(raw.start_period),
    retries: raw.retries === undefined ? undefined : Number(raw.retries),
  };
  const said = Object.entries(times).filter(([, value]) => value !== undefined);
  return { test, ...(Object.fromEntries(said) as Omit<ComposeHealth, "test">) };
}
