/** What an operator reads about a conversion. */
import pc from "picocolors";
import type { Conversion } from "./convert";
import type { Note, NoteKind } from "./conversion";

const TITLES: Readonly<Record<NoteKind, string>> = {
  changed: "Done in another way",
  lost: "Cannot be kept",
  todo: "For you to do",
};

const COLOURS: Readonly<Record<NoteKind, (text: string) => string>> = {
  changed: pc.cyan,
  lost: pc.red,
  todo: pc.yellow,
};

/** @param stack name of the stack that the file is for. @param move the command that moves the data, if there is any. */
export function describeConversion(
  { config, notes, secrets, data, postgres }: Conversion,
  { stack, compose, move }: { stack: string; compose: string; move: string | undefined },
): string {
  const services = Object.keys(config.services as object);
  return [
    `${compose} → ${services.length === 1 ? "service" : "services"} ${services.map((name) => pc.bold(name)).join(", ") || "none"}`,
    ...(["changed", "lost", "todo"] as const).flatMap((kind) => section(kind, notes)),
    ...(secrets.length === 0
      ? []
      : [
          "",
          `${pc.yellow("Secrets")} (each command asks for the value and writes it encrypted; the stack must exist: npx pulumi stack init ${stack})`,
          ...secrets.map(({ service, name }) => `  ${secretCommand(stack, service, name)}`),
        ]),
    ...(move === undefined
      ? []
      : [
          "",
          "Data to move, once the stack is up; the app may run meanwhile",
          ...(postgres ? [`  PostgreSQL of ${postgres.service} → archipelago:database`] : []),
          ...data.map(
            ({ service, source, target }) =>
              `  ${source} → ${target} of ${service}, on the stack's Volume`,
          ),
          `  ${pc.bold(move)}`,
        ]),
    "",
  ].join("\n");
}

export function secretCommand(stack: string, service: string, name: string): string {
  return `npx pulumi config set --secret --path 'archipelago:services.${service}.secrets["${name}"]' -s ${stack}`;
}

function section(kind: NoteKind, notes: readonly Note[]): string[] {
  const some = notes.filter((note) => note.kind === kind);
  if (some.length === 0) return [];
  return [
    "",
    COLOURS[kind](TITLES[kind]),
    ...some.map(({ service, key, what, todo }) => {
      const place = service === undefined ? key : `${service}.${key}`;
      return `  ${pc.bold(place)}: ${what}${todo === undefined ? "" : `\n      → ${todo}`}`;
    }),
  ];
}
