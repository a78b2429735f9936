/** The commands behind `npm start`, `npm test` and `npm run …`. */
import { Command } from "commander";
import { Fault } from "../local/fault";
import { adoptCommand } from "./adopt";
import { backup, type BackupOptions } from "./backup";
import { bench } from "./bench";
import { drill, type DrillOptions } from "./drill";
import { healCloud } from "./cloud-pulumi";
import { local } from "./local";
import { migrateCommands } from "./migrate";
import * as operator from "./operator";
import { restore } from "./restore";
import type { RestoreOptions } from "./restore/options";
import { roll, type RollOptions } from "./roll";
import { start } from "./start";
import { switchStacks, type SwitchOptions } from "./switch";
import { test } from "./test";

const program = new Command("archipelago")
  .description("Archipelago: a web application on DigitalOcean, and on a local DigitalOcean")
  .showHelpAfterError();

program
  .command("start [topology]")
  .description("set up what is missing, then bring the topology up on the local DigitalOcean")
  .action(async (topology: string | undefined) => exitWith(await start(topology ?? "single-node")));

program
  .command("test [args...]")
  .allowUnknownOption()
  .description("lint, types and every test; arguments go to jest, and then only jest runs")
  .action(async (args: string[]) => exitWith(await test(args)));

program
  .command("local [words...]")
  .allowUnknownOption()
  .helpOption(false)
  .description("a Pulumi command, or api, spaces, status, reset, on the local DigitalOcean")
  .action(async (words: string[]) => exitWith(await local(words)));

for (const [name, description] of [
  ["status", "nodes, tasks and the last errors with a remedy"],
  ["logs", "the log lines of the application's services"],
  ["ssh", "a shell on a node"],
] as const) {
  const command = program
    .command(`${name} <stack> [rest...]`)
    .description(description)
    .option("--cloud", "the stack of the selected Pulumi backend, even if a local one has its name")
    .option("--json", "machine-readable output");
  if (name === "logs") {
    command
      .option("-f, --follow", "go on as new lines come")
      .option("-n, --tail <lines>", "lines to begin with", "100");
  }
  if (name === "ssh") command.allowUnknownOption();
  command.action(async (stack: string, rest: string[], options: Record<string, unknown>) => {
    exitWith(await operator[name](stack, rest, options));
  });
}

program
  .command("roll <stack>")
  .description("what replaces nodes (another image or size), one node at a time: one Droplet more")
  .option("--user-data", "also nodes that were born with other user data than new ones get")
  .option("--dry-run", "show the plan, and change nothing")
  .option("-y, --yes", "do not ask")
  .option("--cloud", "the stack of the selected Pulumi backend, even if a local one has its name")
  .action(async (stack: string, options: RollOptions) => exitWith(await roll(stack, options)));

program
  .command("heal <stack>")
  .description(
    "in the cloud, after an interrupted `pulumi up` or when a Droplet was removed by hand: adopt what was made, forget what is gone",
  )
  .action(async (stack: string) => exitWith(await healCloud(stack)));

adoptCommand(program, exitWith);

migrateCommands(program, exitWith);

program
  .command("backup <stack> [words...]")
  .description(
    "back up now and follow it; `<stack> list` shows what there is, `<stack> test-alarm` sends an alarm on purpose, `keygen [file]` makes the key",
  )
  .option("--json", "machine-readable output")
  .option("--cloud", "the stack of the selected Pulumi backend, even if a local one has its name")
  .action(async (stack: string, words: string[], options: BackupOptions) =>
    exitWith(await backup(stack, words, options)),
  );

program
  .command("restore [stack]")
  .description(
    "bring databases and files back from a backup; what is there is kept under another name. With --place: list what a place has, or restore from it, on a machine that has no stack",
  )
  .option(
    "--to <time|backup|end>",
    "a backup by name, a moment, or the end of what was archived; the newest backup, unless said",
  )
  .option("--server <number>", "with --to <time> or end: whose log, where several servers have one")
  .option("--database <name>", "only this one")
  .option("--service <name>", "only the files that this one keeps on the Volume")
  .option("--files", "only the bucket of uploaded files")
  .option("--into <name>", "into a new database, and leave the present one alone")
  .option("--identity <file>", "the secret key; - reads it from standard input")
  .option(
    "--from <place>",
    "first or second; unless said, the first that has the backup, and for a moment or end the first",
  )
  .option(
    "--place <url>",
    "without a stack: s3://<server>/<bucket> (keys from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or asked for) or sftp://<user>@<host>/<directory>",
  )
  .option("--ssh-key <file>", "with --place sftp://…; one of ~/.ssh, unless said")
  .option("--known-hosts <file>", "with --place sftp://…; ~/.ssh/known_hosts, unless said")
  .option(
    "--into-directory <directory>",
    "with --place: a backup as plain files, or a moment as a data directory of PostgreSQL",
  )
  .option(
    "--to-postgres",
    "with --place: into new databases of the server that PGHOST, PGSERVICE, PGPASSFILE, … lead to",
  )
  .option("--dry-run", "look at everything, and change nothing")
  .option("-y, --yes", "do not ask")
  .option("--json", "machine-readable output")
  .option("--cloud", "the stack of the selected Pulumi backend, even if a local one has its name")
  .action(async (stack: string | undefined, options: RestoreOptions) =>
    exitWith(await restore(stack, options)),
  );

program
  .command("switch <from> <to>")
  .description(
    "an app, its data and its address from one stack to another that is up; the first keeps what it has",
  )
  .option("--rehearse", "copy and compare everything, then take it back: how long the stop will be")
  .option("--dry-run", "look at both stacks, and change nothing")
  .option("-y, --yes", "do not ask before the app stops")
  .option("--cloud", "stacks of the selected Pulumi backend, even if local ones have their names")
  .option("--json", "machine-readable output")
  .action(async (from: string, to: string, options: SwitchOptions) =>
    exitWith(await switchStacks(from, to, options)),
  );

program
  .command("bench [figures...]")
  .description("measure the design's figures")
  .option("--json", "machine-readable output")
  .action(async (figures: string[], options: { json?: boolean }) =>
    exitWith(await bench(figures, options)),
  );

program
  .command("drill [scenarios...]")
  .description("change or break a local fleet under load, and account for every request")
  .option("--json", "machine-readable output")
  .option("--write", "write the rows into docs/drills.md (all does)")
  .option("--keep", "leave the fleet up for the next drill")
  .action(async (scenarios: string[], options: DrillOptions) =>
    exitWith(await drill(scenarios, options)),
  );

// `… | head`: nobody reads any more. What changes something is not cut off by that.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

function exitWith(code: number): void {
  process.exitCode = code;
}

program.parseAsync().catch((error: Error) => {
  process.stderr.write(
    `${error instanceof Fault ? error.message : (error.stack ?? error.message)}\n`,
  );
  process.exitCode = 1;
});
