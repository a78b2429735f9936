/** The command that moves the data of a compose app. */
import * as path from "node:path";
import type { DataMount } from "./conversion";
import type { Conversion } from "./convert";
import type { ComposeProject } from "./load";
import { isTrue, mappingOf, textOf } from "./values";

/**
 * @param stack that the data goes to.
 * @returns undefined when there is none.
 */
export function dataCommand(
  { data, postgres }: Pick<Conversion, "data" | "postgres">,
  { name, directory, top }: Pick<ComposeProject, "name" | "directory" | "top">,
  stack: string,
): string | undefined {
  if (data.length === 0 && postgres === undefined) return undefined;
  const sources = data.map((mount) => sourceOf(mount, directory, top));
  const isBeside = sources.some((source) => source.startsWith("./"));
  const from = isBeside ? "root@<old-server>:<directory of the compose file>" : "root@<old-server>";
  return [
    `npm run adopt -- data ${stack} --from ${from} --project ${projectName(name)}`,
    ...data.map(({ service }, at) => `--volume ${sources[at] ?? ""}=${service}`),
    ...(postgres === undefined ? [] : [`--postgres ${postgres.service}`]),
    "--rehearse",
  ].join(" ");
}

/** As it is found on the old server: a volume by its name, a directory as the compose file has it. */
function sourceOf({ source }: DataMount, directory: string, top: ComposeProject["top"]): string {
  if (!path.isAbsolute(source)) {
    const said = mappingOf(mappingOf(top.volumes)[source]);
    return isTrue(said.external) ? (textOf(said.name) ?? source) : source;
  }
  const beside = path.relative(directory, source);
  return beside.startsWith("..") ? source : `./${beside}`;
}

/** https://docs.docker.com/compose/how-tos/project-name/ */
const projectName = (name: string) =>
  name
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]/g, "")
    .replace(/^[_-]+/, "");
