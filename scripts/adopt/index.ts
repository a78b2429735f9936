/** `npm run adopt`: takes over what exists. */
import type { Command } from "commander";
import { adoptCloud, type CloudOptions } from "./cloud";
import { adoptCompose, type ComposeOptions } from "./compose";
import { adoptData, type DataOptions } from "./data";

const several = (value: string, before: readonly string[] = []) => [...before, value];

/** @param exitWith sets the exit code. */
export function adoptCommand(program: Command, exitWith: (code: number) => void): void {
  const adopt = program
    .command("adopt")
    .description(
      "take over what exists: an app in a compose file, or what was made by hand in an account",
    )
    .helpCommand(false);
  adopt
    .command("compose [files...]")
    .description(
      "a compose file as a stack file; later files override earlier ones, as with docker compose -f",
    )
    .option("--out <file>", "stack file to write (default: stacks/Pulumi.<project>.yaml)")
    .option("--region <slug>", "DigitalOcean region", "fra1")
    .option("--profile <name...>", "profiles of the compose file to switch on; * = all")
    .option("--dry-run", "show what would be written, and write nothing")
    .option("--force", "write over a stack file that exists")
    .option("--json", "machine-readable output")
    .action((files: string[], options: ComposeOptions) => exitWith(adoptCompose(files, options)));
  adopt
    .command("data <stack>")
    .description(
      "files and databases of an app on another server into a stack that is up; rehearse it first, the app may run meanwhile",
    )
    .requiredOption("--from <server>", "[user@]host[:directory], or a directory of this machine")
    .option("--project <name>", "compose project there: volumes and services go by its names")
    .option(
      "--volume <what=service>",
      "a volume or directory there, and the stack's service that keeps it; may be repeated",
      several,
    )
    .option(
      "--postgres <name>",
      "service of the project; without --project a database of the machine's own PostgreSQL",
    )
    .option(
      "--sqlite <file>",
      "its tables go into the stack's PostgreSQL; <volume>/<file> or a path",
    )
    .option("--database <name>", "database of the stack", "app")
    .option("--replace", "of --sqlite: rows of tables that the stack has already give way")
    .option("--host-key <key>", "the server's, such as 'ssh-ed25519 AAAA…' (default: known_hosts)")
    .option("--port <number>", "of its SSH server")
    .option("--identity <file>", "private key to log in with")
    .option("--rehearse", "copy and compare everything, then take it back")
    .option("--dry-run", "look at everything, and change nothing")
    .option("-y, --yes", "do not ask before the final run's stop")
    .option("--cloud", "the stack of the selected Pulumi backend, even if a local one has its name")
    .option("--json", "machine-readable output")
    .action(async (stack: string, options: DataOptions) =>
      exitWith(await adoptData(stack, options)),
    );
  adopt
    .command("cloud <stack>")
    .description(
      "what was made by hand around a Droplet: VPC, database, names; writes a stack file and a file for pulumi import",
    )
    .option("--droplet <name>", "the Droplet that runs the app now (default: the only one)")
    .option("--local", "the local DigitalOcean instead of the account of DIGITALOCEAN_TOKEN")
    .option("--out <directory>", "where to write (default: stacks)")
    .option("--dry-run", "show what would be taken over, and write nothing")
    .option("--force", "write over files that exist")
    .option("--json", "machine-readable output")
    .action(async (stack: string, options: CloudOptions) =>
      exitWith(await adoptCloud(stack, options)),
    );
}
