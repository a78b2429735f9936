/** `npm run local -- …`: a Pulumi command on the local DigitalOcean, or one of its own commands. */
import { Command, Option } from "commander";
import { ensureDaemon, findDaemon, stopDaemon } from "../local/daemon/client";
import { settings, type Settings } from "../local/daemon/settings";
import { localPulumi } from "./local-pulumi";
import { reset } from "../local/reset";
import { setUp } from "../local/setup";
import { openSpaces } from "../local/spaces";
import { noSuchStack, stackNames } from "../local/stack-copy";
import { localStatus } from "./local-status";

const HELP = `Usage: npm run local -- <command>

  up | preview | refresh | destroy <stack> [flags]   that Pulumi command on the local DigitalOcean
  stack output <stack> [--json], or any other        likewise; flags and exit codes are Pulumi's
  api [--help]                                       start the API alone; print its URL and token
  spaces                                             start the S3 server; print its URL and key
  status [--json]                                    what exists, and its health
  reset                                              remove everything local, and nothing else

Stacks (files in stacks/): ${stackNames().join(", ")}

Environment:
  ARCHIPELAGO_MACHINES=simulated   Droplets without bodies
  ARCHIPELAGO_PLUGINS=official     DigitalOcean's and Docker's own provider plugins
  ARCHIPELAGO_LOCAL_EGRESS=allow   Droplets may reach the internet
`;

export async function local(words: readonly string[]): Promise<number> {
  switch (words[0]) {
    case undefined:
    case "help":
    case "--help":
    case "-h":
      process.stdout.write(HELP);
      return words[0] === undefined ? 2 : 0;
    case "api":
      await api(words.slice(1));
      return 0;
    case "spaces":
      for (const [name, value] of Object.entries(await openSpaces((await setUp()).daemon))) {
        process.stdout.write(`${name}=${value}\n`);
      }
      return 0;
    case "status":
      return localStatus(words.includes("--json"));
    case "reset":
      await reset();
      return 0;
    default:
      requireStack(words);
      return (await localPulumi(await setUp(), words)).code;
  }
}

/**
 * Pulumi takes the word after `up` for the URL of a template when it is no stack, and would go and fetch it.
 *
 * @throws {Fault} when it is no stack.
 */
function requireStack([command = "", word = ""]: readonly string[]): void {
  const onStack = ["up", "update", "preview", "refresh", "destroy"].includes(command);
  if (onStack && word !== "" && !word.startsWith("-") && !stackNames().includes(word)) {
    throw noSuchStack(word);
  }
}

async function api(words: readonly string[]): Promise<void> {
  const options = new Command("npm run local -- api")
    .description("Starts the API alone, if it does not run yet; settings are kept.")
    .addOption(
      new Option("--progress <how>", "how lifecycles progress").choices(["immediate", "realistic"]),
    )
    .addOption(
      new Option("--rate-limit <switch>", "answer 429 beyond 250 requests a minute").choices([
        "on",
        "off",
      ]),
    )
    .option("--acme-port <port>", "an ACME server on this machine, for Droplets; 0 = none", Number)
    .option("--json", "machine-readable output")
    .parse(words, { from: "user" })
    .opts<{
      progress?: Settings["progress"];
      rateLimit?: "on" | "off";
      acmePort?: number;
      json?: boolean;
    }>();
  const running = await findDaemon();
  if (options.progress || options.rateLimit || options.acmePort !== undefined) {
    settings({
      ...(options.progress && { progress: options.progress }),
      ...(options.rateLimit && { rateLimit: options.rateLimit === "on" }),
      ...(options.acmePort !== undefined && { acmePort: options.acmePort }),
    });
    await stopDaemon();
  }
  const { url, token } = await ensureDaemon(running?.machines ?? "simulated");
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ url, token })}\n`
      : `DIGITALOCEAN_API_URL=${url}\nDIGITALOCEAN_TOKEN=${token}\n`,
  );
}
