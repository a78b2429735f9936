/** `npm run adopt -- compose <file…>`: a compose file as a stack file. */
import * as fs from "node:fs";
import * as path from "node:path";
import { Fault } from "../../../local/fault";
import { checkout } from "../../../local/paths";
import { convert } from "./convert";
import { dataCommand } from "./data-command";
import { loadProject } from "./load";
import { describeConversion, secretCommand } from "./report";
import { mustBeStackFile, stackFileText } from "../stack-file";

export interface ComposeOptions {
  /** Stack file to write. @default stacks/Pulumi.<project>.yaml */
  readonly out?: string;
  /** DigitalOcean region slug. */
  readonly region: string;
  readonly profile?: readonly string[];
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** What docker compose looks for, in its order. */
const USUAL = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];

/**
 * @param files compose files, later ones over earlier ones; none = the one that is here.
 * @returns 0 when a stack file came of it; 1 when nothing in the compose file can be used.
 */
export function adoptCompose(files: readonly string[], options: ComposeOptions): number {
  // npm runs scripts in the checkout, wherever it was called.
  const here = (file: string) => path.resolve(process.env.INIT_CWD ?? ".", file);
  const chosen =
    files.length > 0
      ? files.map(here)
      : USUAL.map(here)
          .filter((file) => fs.existsSync(file))
          .slice(0, 1);
  if (chosen.length === 0) {
    throw new Fault(`Which compose file? There is none of ${USUAL.join(", ")} here.`);
  }
  const project = loadProject(chosen, {
    env: process.env,
    ...(options.profile && { profiles: options.profile }),
  });
  const conversion = convert(project, { root: checkout, region: options.region });
  const out = path.resolve(
    checkout,
    options.out ?? path.join("stacks", `Pulumi.${stackNameOf(project.name)}.yaml`),
  );
  const stack = /^Pulumi\.(.+)\.yaml$/.exec(path.basename(out))?.[1];
  if (stack === undefined) {
    throw new Fault(`--out must be a file called Pulumi.<stack>.yaml, got ${path.basename(out)}.`);
  }
  const usable = Object.keys(conversion.config.services as object).length > 0;
  const compose = chosen.map((file) => path.basename(file)).join(" + ");
  const text = stackFileText(conversion.config, [
    `From ${compose} by \`npm run adopt -- compose\`: what was left out or changed is in what it printed.`,
  ]);
  if (usable)
    mustBeStackFile(
      conversion.config,
      stack,
      "What came of it is no stack file that the program takes",
    );
  const file = path.relative(checkout, out);
  const writes = usable && options.dryRun !== true;
  if (writes && fs.existsSync(out) && options.force !== true) {
    throw new Fault(`${file} exists: --force writes it anew, --out another one.`);
  }
  if (writes) fs.writeFileSync(out, text);
  const move = dataCommand(conversion, project, stack);
  if (options.json === true) {
    const { config, notes, secrets, data } = conversion;
    const commands = secrets.map(({ service, name, known }) => ({
      service,
      name,
      known,
      command: secretCommand(stack, service, name),
    }));
    process.stdout.write(
      `${JSON.stringify({ stack, file, written: writes, config, notes, secrets: commands, data, dataCommand: move })}\n`,
    );
    return usable ? 0 : 1;
  }
  process.stdout.write(describeConversion(conversion, { stack, compose, move }));
  if (!usable) {
    process.stdout.write("Nothing in it can be used, and nothing was written.\n");
    return 1;
  }
  process.stdout.write(
    writes
      ? `Written: ${file}. Rehearse it: npm start -- ${stack}\n`
      : `${text}\nNothing was written (--dry-run).\n`,
  );
  return 0;
}

/** A stack's name of a project's. */
function stackNameOf(project: string): string {
  const name = project
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, "-")
    .replace(/^[^a-z]+/, "")
    .slice(0, 30)
    .replace(/-+$/, "");
  return name === "" ? "app" : name;
}
