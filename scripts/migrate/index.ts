/** `npm run migrate`: an app's data from where it is into a stack. */
import type { Command } from "commander";
import { migratePostgres, type PostgresOptions } from "./postgres";
import { migrateSqlite, type SqliteOptions } from "./sqlite";

const several = (value: string, before: readonly string[] = []) => [...before, value];

export function migrateCommands(program: Command, exitWith: (code: number) => void): void {
  const migrate = program
    .command("migrate")
    .description(
      "an app's data from where it is into a stack: looked at first, verified, all or nothing",
    );
  migrate
    .command("sqlite <file>")
    .description("the tables of a SQLite file into the stack's PostgreSQL; the file is only read")
    .requiredOption("--to <stack>", "stack whose database gets them")
    .option("--database <name>", "database of the stack", "app")
    .option("--rehearse", "load and verify every row, then take everything back")
    .option("--dry-run", "look at everything, and change nothing")
    .option(
      "--replace",
      "tables that the database has already keep their definition and get the file's rows",
    )
    .option("--as <table.column=type>", "PostgreSQL type of a column; may be repeated", several)
    .option("--without <table>", "leave a table out; may be repeated", several)
    .option("--cloud", "the stack of the selected Pulumi backend, even if a local one has its name")
    .option("--json", "machine-readable output")
    .action(async (file: string, options: SqliteOptions) =>
      exitWith(await migrateSqlite(file, options)),
    );
  migrate
    .command("postgres")
    .description(
      "a live database to the stack's other server and back, or from a server outside: nothing is lost",
    )
    .requiredOption(
      "--from <server>",
      "has the data: web:container; or, outside, service:<name> of the pg service file, or env",
    )
    .requiredOption("--to <server>", "gets it: web:managed; or a stack, for a server outside")
    .option("--database <name>", "database of the stack, for a server outside", "app")
    .option("--follow", "outside: keep the copy up to date until Ctrl-C")
    .option("--switch", "outside: the app there is stopped; let the stack's app write")
    .option("--end", "keep nothing for a way there or back any longer")
    .option("--dry-run", "look at everything, and change nothing")
    .option("--cloud", "the stack of the selected Pulumi backend, even if a local one has its name")
    .option("--json", "machine-readable output")
    .action(async (options: PostgresOptions) => exitWith(await migratePostgres(options)));
}
