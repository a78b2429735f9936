/** The directory that a service keeps, of all that are mounted into it. */
import * as fs from "node:fs";
import * as path from "node:path";
import type { DataMount, Notes } from "./conversion";
import type { ComposeMount, ComposeService } from "./service";

/** The same in every container, or the host's own. */
const HOST_FILES = /^\/etc\/(localtime|timezone|hosts|resolv\.conf)$/;

/** Made anew whenever it is missing. */
const MADE_ANEW = /(^|\/)(node_modules|\.venv|\.cache|cache|tmp|log|logs|bundle|\.next)$/;

/**
 * @param taken volumes that another service has already, by name: a directory belongs to one service.
 * @returns what is to be kept; undefined where nothing is.
 */
export function keptMount(
  service: ComposeService,
  taken: ReadonlyMap<string, string>,
  notes: Notes,
): DataMount | undefined {
  const data = service.mounts.filter((mount) => isData(mount, service, taken, notes));
  const [kept, ...others] = [...data].sort((a, b) => worth(b) - worth(a));
  if (kept === undefined) return undefined;
  for (const { target } of others) {
    notes.lost(
      "volumes",
      `${target} is not kept: a service has one directory on the Volume, and it is ${kept.target}`,
      "put both below one directory, or have the app keep these files in the bucket of archipelago:files",
    );
  }
  return { service: service.name, source: kept.source ?? "", target: kept.target };
}

function isData(
  { type, source, target, readOnly }: ComposeMount,
  { name, build, image = "" }: ComposeService,
  taken: ReadonlyMap<string, string>,
  notes: Notes,
): boolean {
  if (type === "tmpfs") return false;
  if (/docker\.sock$/.test(source ?? "")) {
    notes.lost(
      "volumes",
      "no service gets the node's Docker socket: it would have every secret of the stack",
      "run what needs it on a server of its own",
    );
    return false;
  }
  if (source === undefined || HOST_FILES.test(target)) return false;
  const other = taken.get(source);
  if (other !== undefined) {
    notes.lost(
      "volumes",
      `${target} is not shared with ${other}: a directory belongs to one service, and maybe to another node`,
      "have both keep these files in the bucket of archipelago:files",
    );
    return false;
  }
  if (type === "other" || MADE_ANEW.test(target)) {
    notes.changed("volumes", `${target} is not kept: each task begins with an empty one`);
    return false;
  }
  if (type === "bind" && isInside(build?.context, source) && !isEmptyOrData(source)) {
    notes.changed(
      "volumes",
      `${target} comes with the image, not from ${path.basename(source)} on the host`,
    );
    return false;
  }
  if (readOnly || (type === "bind" && fs.statSync(source, { throwIfNoEntry: false })?.isFile())) {
    notes.lost(
      "volumes",
      `${target} is not mounted from the host, which nodes do not share`,
      build === undefined
        ? `make an image with it: a Dockerfile of FROM ${image} and COPY ${path.basename(source)} ${target}`
        : `COPY ${path.basename(source)} ${target} in the Dockerfile`,
    );
    return false;
  }
  if (!/^(\/[A-Za-z0-9._-]+)+$/.test(target)) {
    notes.lost(
      "volumes",
      `${target} is no path that ${name} can keep`,
      "use a plain absolute path",
    );
    return false;
  }
  return true;
}

/** Code that is mounted for development. */
function isInside(context: string | undefined, source: string): boolean {
  return context !== undefined && !path.relative(context, source).startsWith("..");
}

/** A directory below the sources that only takes what the app writes. */
function isEmptyOrData(source: string): boolean {
  if (/^(data|storage|uploads?|media|db|files|content|volumes?)$/.test(path.basename(source)))
    return true;
  const stat = fs.statSync(source, { throwIfNoEntry: false });
  return stat === undefined || (stat.isDirectory() && fs.readdirSync(source).length === 0);
}

const worth = ({ target }: ComposeMount) =>
  /(data|lib|storage|content|upload|media|files|db)/.test(target) ? 1 : 0;
