import * as fs from "node:fs";
import * as path from "node:path";
import { checkout } from "../paths";

/** Our stand-ins, at the versions that the program's SDKs ask for. */
const STAND_INS = [
  { name: "digitalocean", version: "4.80.1" },
  { name: "docker", version: "5.2.0" },
] as const;

/**
 * Puts the stand-in providers where the engine looks for downloaded plugins, so that it finds them without a
 * download attempt. Each is a small program that loads this checkout's TypeScript; running it again repairs.
 */
export function installStandIns(pulumiHome: string): void {
  for (const standIn of STAND_INS) {
    const directory = pluginDirectory(pulumiHome, standIn);
    fs.mkdirSync(directory, { recursive: true });
    const executable = path.join(directory, `pulumi-resource-${standIn.name}`);
    fs.writeFileSync(executable, shim(standIn.name), { mode: 0o755 });
    fs.chmodSync(executable, 0o755);
  }
}

/** Takes the stand-ins away, e.g. to run the official plugins; the engine's own downloads stay. */
export function removeStandIns(pulumiHome: string): void {
  for (const standIn of STAND_INS) {
    const directory = pluginDirectory(pulumiHome, standIn);
    const executable = path.join(directory, `pulumi-resource-${standIn.name}`);
    if (isStandIn(executable)) {
      fs.rmSync(directory, { recursive: true, force: true });
    }
  }
}

const MARK = "Archipelago's local stand-in";

const pluginDirectory = (
  pulumiHome: string,
  { name, version }: (typeof STAND_INS)[number],
): string => path.join(pulumiHome, "plugins", `resource-${name}-v${version}`);

function isStandIn(executable: string): boolean {
  return fs.existsSync(executable) && fs.readFileSync(executable, "utf8").includes(MARK);
}

function shim(name: string): string {
  const load = path.join(checkout, "build/load.cjs");
  return [
    "#!/usr/bin/env node",
    `// ${MARK} for the provider plugin "${name}".`,
    `require(${JSON.stringify(load)})("local/provider/${name}/main.ts", "bundled");`,
    "",
  ].join("\n");
}
