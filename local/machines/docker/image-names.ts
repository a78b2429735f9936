import { createHash } from "node:crypto";
import path from "node:path";
import { type ArchiveFile, readTree } from "./files";

/** Debian release that Droplets and substitutes are made of. */
export const DEBIAN_SUITE = "bookworm";

/** Pulled where a registry answers; else a base is bootstrapped from Debian's packages. */
export const BASE_SOURCE = `debian:${DEBIAN_SUITE}-slim`;

/** Local name of the base that both images are built on. */
export const BASE_IMAGE = `archipelago/base:${DEBIAN_SUITE}`;

/** Node in the substitute images; an npm package carries the binary. */
export const NODE_VERSION = "22.23.3";

/**
 * Where Docker Hub is not reachable the mirror serves these references from Debian packages:
 * haproxy 2.6, Node 22, PostgreSQL 15 (with the toolbox), PgBouncer 1.18, Redis 7.0 for Valkey. `stage` is the Dockerfile stage that has the program.
 */
export const SUBSTITUTES = [
  { repository: "library/haproxy", tag: "3.2-alpine", stage: "web" },
  { repository: "library/node", tag: "22-alpine", stage: "web" },
  { repository: "library/postgres", tag: "15-alpine", stage: "database" },
  { repository: "edoburu/pgbouncer", tag: "v1.24.1-p1", stage: "database" },
  { repository: "valkey/valkey", tag: "8.1-alpine", stage: "support" },
] as const;

export type SupportStage = (typeof SUBSTITUTES)[number]["stage"];

/** The images, named by what they are made of, so that a change of any input builds anew. */
export interface ImageNames {
  /** The body of a Droplet. */
  readonly machine: string;
  /** Stages of the substitute image; `support` has the registry's program. */
  readonly support: Readonly<Record<SupportStage, string>>;
  /** `support` with the substitutes in the registry's store. */
  readonly mirror: string;
}

/** Everything that goes into an image apart from what its package registry answers. */
export interface ImageSources {
  readonly machine: readonly ArchiveFile[];
  readonly support: readonly ArchiveFile[];
}

export async function readImageSources(): Promise<ImageSources> {
  const root = path.join(__dirname, "images");
  return {
    machine: await readTree(path.join(root, "machine")),
    support: await readTree(path.join(root, "support")),
  };
}

/** Tags of the images made from these sources; the same for every checkout on an engine. */
export function imageNames(sources: ImageSources): ImageNames {
  const support = digest(sources.support, NODE_VERSION);
  return {
    machine: `archipelago/machine:${digest(sources.machine, DEBIAN_SUITE)}`,
    support: {
      web: `archipelago/web:${support}`,
      database: `archipelago/database:${support}`,
      support: `archipelago/support:${support}`,
    },
    mirror: `archipelago/mirror:${digest(sources.support, NODE_VERSION, JSON.stringify(SUBSTITUTES))}`,
  };
}

function digest(files: readonly ArchiveFile[], ...extra: readonly string[]): string {
  const hash = createHash("sha256").update(JSON.stringify(extra));
  for (const { name, content } of files) {
    hash.update(`\0${name}\0${Buffer.byteLength(content)}\0`).update(content);
  }
  return hash.digest("hex").slice(0, 12);
}
