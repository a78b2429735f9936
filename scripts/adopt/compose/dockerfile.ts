/** What a Dockerfile starts: https://docs.docker.com/reference/dockerfile/ */
import { imageBase } from "./recognise";
import { wordsOf } from "./values";

/** What an image runs when nobody says anything else. */
export interface Start {
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
}

/** Official images whose entrypoint only runs what it is given: it can be left out. */
const PLAIN_BASES =
  /^(debian|ubuntu|alpine|busybox|scratch|node|python|ruby|golang|php|perl|rust|openjdk|eclipse-temurin|amazoncorretto|dotnet|aspnet|elixir|erlang|bun|deno|distroless)$/;

/**
 * @returns what the last stage of a Dockerfile starts; undefined where its base image may have an entrypoint of its own, which
 * is not known here.
 */
export function startOf(dockerfile: string): Start | undefined {
  const stages = new Map<string, Partial<Start>>();
  let current: Partial<Start> | undefined;
  let known = false;
  for (const [instruction, rest] of instructions(dockerfile)) {
    if (instruction === "FROM") {
      const [, image = "", alias] = /^(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?/i.exec(rest) ?? [];
      const base = stages.get(image.toLowerCase());
      known = base !== undefined ? known : PLAIN_BASES.test(imageBase(image));
      current = { ...base };
      if (alias !== undefined) stages.set(alias.toLowerCase(), current);
    } else if (current !== undefined && instruction === "ENTRYPOINT") {
      // A new entrypoint forgets the command of the stage before.
      Object.assign(current, { entrypoint: commandOf(rest), command: [] });
    } else if (current !== undefined && instruction === "CMD") {
      Object.assign(current, { command: commandOf(rest) });
    }
  }
  if (current === undefined || (!known && current.entrypoint === undefined)) return undefined;
  const { entrypoint = [], command = [] } = current;
  return { entrypoint, command };
}

/** Whether a stage is the last one, which is built when none is named. */
export function isLastStage(dockerfile: string, stage: string): boolean {
  const last = instructions(dockerfile).findLast(([instruction]) => instruction === "FROM")?.[1];
  return last?.toLowerCase().endsWith(` as ${stage.toLowerCase()}`) ?? false;
}

/** Instructions with their arguments, continued lines joined. */
function instructions(text: string): [string, string][] {
  const lines = text
    .split(/\r?\n/)
    .filter((line) => !/^\s*#/.test(line))
    .join("\n")
    .replaceAll(/\\\n/g, " ")
    .split("\n");
  return lines.flatMap((line): [string, string][] => {
    const [, instruction, rest] = /^\s*([A-Za-z]+)\s+(.*)$/.exec(line) ?? [];
    return instruction === undefined ? [] : [[instruction.toUpperCase(), (rest ?? "").trim()]];
  });
}

/** The exec form is JSON; the shell form is run by a shell. */
function commandOf(rest: string): string[] {
  if (rest.startsWith("[")) {
    try {
      return wordsOf(JSON.parse(rest)) ?? [];
    } catch {
      // Docker takes what is no JSON for a line of the shell, too.
    }
  }
  return rest === "" ? [] : ["/bin/sh", "-c", rest];
}
