/** `npm run adopt -- cloud <stack>`: what was made by hand as a stack file and a file for `pulumi import`. */
import * as fs from "node:fs";
import * as path from "node:path";
import pc from "picocolors";
import { ensureDaemon, findDaemon } from "../../../local/daemon/client";
import { Fault } from "../../../local/fault";
import { checkout } from "../../../local/paths";
import type { Api } from "../../stack-state";
import { mustBeStackFile, stackFileText } from "../stack-file";
import { type FoundAccount, type FoundDroplet, readAccount } from "./account";
import { type Adoption, planAdoption } from "./plan";

export interface CloudOptions {
  /** Name of the Droplet that runs the app now. @default the only one */
  readonly droplet?: string;
  /** The local DigitalOcean's account instead of that of DIGITALOCEAN_TOKEN. */
  readonly local?: boolean;
  /** Directory of stack files. @default stacks */
  readonly out?: string;
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

const DIGITALOCEAN_API = "https://api.digitalocean.com";

/** @returns 0 when stack file and import file were written, or would be. */
export async function adoptCloud(stack: string, options: CloudOptions): Promise<number> {
  const account = await readAccount(await apiOf(options));
  const droplet = chosenDroplet(account, options.droplet);
  const adoption = planAdoption(stack, account, droplet);
  mustBeStackFile(adoption.config, stack, "No stack file of it would do");
  const directory = path.resolve(checkout, options.out ?? "stacks");
  const stackFile = path.join(directory, `Pulumi.${stack}.yaml`);
  const importFile = path.join(directory, `import.${stack}.json`);
  const writes = options.dryRun !== true;
  for (const file of [stackFile, importFile]) {
    if (writes && fs.existsSync(file) && options.force !== true) {
      throw new Fault(`${path.relative(checkout, file)} exists: --force writes it anew.`);
    }
  }
  const imports = { resources: adoption.resources };
  if (writes) {
    const head = [`Taken over from Droplet ${droplet.name} by \`npm run adopt -- cloud\`.`];
    fs.writeFileSync(stackFile, stackFileText(adoption.config, head));
    fs.writeFileSync(importFile, `${JSON.stringify(imports, null, 2)}\n`);
  }
  const files = {
    stackFile: path.relative(checkout, stackFile),
    importFile: path.relative(checkout, importFile),
  };
  process.stdout.write(
    options.json === true
      ? `${JSON.stringify({ stack, ...files, written: writes, ...adoption })}\n`
      : describe(stack, adoption, { ...files, writes, local: options.local === true }),
  );
  return 0;
}

export async function apiOf({ local }: Pick<CloudOptions, "local">): Promise<Api> {
  // One that runs has the machines that it has.
  if (local === true) return (await findDaemon()) ?? ensureDaemon("simulated");
  const token = process.env.DIGITALOCEAN_TOKEN;
  if (!token) throw new Fault("DIGITALOCEAN_TOKEN is not set: export a token with read access.");
  return { url: process.env.DIGITALOCEAN_API_URL ?? DIGITALOCEAN_API, token };
}

function chosenDroplet({ droplets }: FoundAccount, name: string | undefined): FoundDroplet {
  const [first, ...others] = droplets.filter((one) => name === undefined || one.name === name);
  if (first !== undefined && others.length === 0) return first;
  const list = droplets.map((one) => one.name).join(", ") || "none";
  throw new Fault(`Which Droplet runs the app? --droplet <name>, of: ${list}.`);
}

function describe(
  stack: string,
  { taken, notTaken, beware, resources }: Adoption,
  files: { stackFile: string; importFile: string; writes: boolean; local: boolean },
): string {
  const section = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : ["", title, ...lines.map((line) => `  ${line}`)];
  const pulumi = files.local ? "npm run local --" : "npx pulumi";
  const target = files.local ? stack : `-s ${stack}`;
  const steps = [
    ...(files.local ? [] : [`npx pulumi stack init ${stack}`]),
    ...(resources.length === 0
      ? []
      : [
          `${pulumi} import --file ${files.importFile} --generate-code=false --protect=false --yes ${target}`,
        ]),
    `${pulumi} preview ${target}     (nothing above may be replaced or deleted)`,
    `${pulumi} up ${target}`,
  ];
  return [
    ...section(pc.red("Not taken over"), notTaken),
    ...section(pc.green("Taken over"), taken),
    ...section(pc.yellow("Before you go on"), beware),
    ...section("Then", steps),
    "",
    files.writes
      ? `Written: ${files.stackFile}, ${files.importFile}`
      : "Nothing was written (--dry-run).",
    "",
  ].join("\n");
}
