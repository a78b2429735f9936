/** `npm run adopt`: takes over what exists. */
import type { Command } from "commander";
import { adoptCloud, type CloudOptions } from "./cloud";
import { adoptCompose, type ComposeOptions } from "./compose";

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
