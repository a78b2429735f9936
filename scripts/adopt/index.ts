/** `npm run adopt`: takes over what exists. */
import type { Command } from "commander";
import { adoptCompose, type ComposeOptions } from "./compose";

/** @param exitWith sets the exit code. */
export function adoptCommand(program: Command, exitWith: (code: number) => void): void {
  const adopt = program
    .command("adopt")
    .description("take over what exists: an app in a compose file")
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
}
