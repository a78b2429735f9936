import { createHash } from "node:crypto";
import type Docker from "dockerode";
import { execIn, execOrThrow, isAlreadySo, orMissing } from "./engine";
import { archive, type ArchiveFile } from "./files";
import type { Turns } from "./turns";
import { objectLabels, objectName, type Role, vpcName } from "./names";

/** What those who look after containers need to know. */
export interface BodyHost {
  /** Six hex characters. */
  readonly instance: string;
  /** Image of their containers. */
  readonly image: string;
  readonly turns: Turns;
}

/** What the container of a service inside a VPC needs. */
export interface BodyPlan {
  readonly instance: string;
  readonly role: Role;
  /** The API's id. */
  readonly id: string;
  readonly vpcId: string;
  /** IPv4 address inside the VPC. */
  readonly privateIp: string;
  readonly image: string;
  readonly command: readonly string[];
  /** @default SIGTERM */
  readonly stopSignal?: string;
  readonly host: Docker.HostConfig;
}

/** Label with the digest of everything that only a new container can change. */
const SHAPE_LABEL = "archipelago.shape";

/** A service of the account as a container on its VPC's bridge, at an address of its own. */
export function bodyContainer(plan: BodyPlan): Docker.ContainerCreateOptions {
  const network = vpcName(plan.instance, plan.vpcId);
  return {
    name: objectName(plan.instance, plan.role, plan.id),
    Image: plan.image,
    Hostname: plan.role,
    Cmd: [...plan.command],
    StopSignal: plan.stopSignal ?? "SIGTERM",
    Labels: objectLabels(plan.instance, plan.role, plan.id),
    HostConfig: {
      ...plan.host,
      NetworkMode: network,
      RestartPolicy: { Name: "unless-stopped" },
      LogConfig: { Type: "json-file", Config: { "max-size": "1m", "max-file": "1" } },
    },
    NetworkingConfig: {
      EndpointsConfig: { [network]: { IPAMConfig: { IPv4Address: plan.privateIp } } },
    },
  };
}

/**
 * Makes sure that a container like this one runs.
 *
 * @param files what it finds at its first start; secrets go here, where `docker inspect` shows none.
 * @returns whether it was made just now; what runs already has the files that it was given before.
 */
export async function ensureBody(
  docker: Docker,
  options: Docker.ContainerCreateOptions & { readonly name?: string },
  files: readonly ArchiveFile[],
): Promise<"made" | "found"> {
  const container = docker.getContainer(options.name ?? "");
  const shape = createHash("sha256").update(JSON.stringify(options)).digest("hex").slice(0, 12);
  const existing = await orMissing(container.inspect());
  if (existing?.Config.Labels[SHAPE_LABEL] === shape && existing.State.Status !== "created") {
    await start(container);
    return "found";
  }
  if (existing) {
    if (existing.State.Running) await container.stop({ t: 30 });
    await container.remove({ force: true, v: true });
  }
  await docker.createContainer({ ...options, Labels: { ...options.Labels, [SHAPE_LABEL]: shape } });
  await container.putArchive(await archive(files), { path: "/" });
  await start(container);
  return "made";
}

/** Where a container keeps the digest of what it has taken on, for root alone to read. */
const SETTLED_FILE = "/etc/archipelago/settled";

/** Digest of files and of anything else that a container is to take on. */
export function settingsDigest(files: readonly ArchiveFile[], more: unknown = undefined): string {
  const hash = createHash("sha256").update(JSON.stringify(more) ?? "");
  for (const { name, content } of files) hash.update(`\0${name}\0`).update(content);
  return hash.digest("hex");
}

/** Whether a running container has taken on these settings already. */
export async function isSettled(container: Docker.Container, digest: string): Promise<boolean> {
  return (await execIn(container, ["cat", SETTLED_FILE])).stdout === digest;
}

/** Notes that it has, for those who ask later. */
export async function settle(container: Docker.Container, digest: string): Promise<void> {
  const script = 'umask 077; cat > "$1"';
  await execOrThrow(
    container,
    "note its settings",
    ["sh", "-euc", script, "sh", SETTLED_FILE],
    digest,
  );
}

/** The last lines that a container has printed, for error messages. */
export async function lastWords(container: Docker.Container): Promise<string> {
  const log = await container.logs({ stdout: true, stderr: true, tail: 5 });
  const lines: string[] = [];
  // Each piece has a header of eight bytes, of which the last four are its length.
  for (let at = 0; at + 8 <= log.length;) {
    const end = at + 8 + log.readUInt32BE(at + 4);
    lines.push(log.toString("utf8", at + 8, end).trimEnd());
    at = end;
  }
  return lines.join("\n");
}

/** Removes a container; fine when it is gone. */
export async function removeBody(docker: Docker, name: string): Promise<void> {
  await orMissing(docker.getContainer(name).remove({ force: true, v: true }));
}

async function start(container: Docker.Container): Promise<void> {
  await container.start().catch((error: unknown) => {
    if (!isAlreadySo(error)) throw error;
  });
}
