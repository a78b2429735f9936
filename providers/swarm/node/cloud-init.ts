import { z } from "zod";
import type { Context } from "../protocol/resource";
import type { SshConnection } from "../ssh/connection";
import { waitUntil, type Attempt } from "../wait";

/** Packages are installed in user data; slow mirrors are the rule, not the exception. */
const TIMEOUT_SECONDS = 900;

/** Modules whose failure leaves a node that works: `locale` wants a package that small images lack. */
const harmlessModules = new Set(["locale"]);

const log = "/var/log/cloud-init-output.log";

/** https://cloudinit.readthedocs.io/en/latest/reference/cli.html#status: files that `cloud-init status` reads. */
const resultFile = z.object({ v1: z.object({ errors: z.array(z.string()) }) });
const statusFile = z.object({ v1: z.object({ stage: z.string().nullish() }) });

/**
 * Waits until cloud-init has run the whole user data.
 *
 * @throws {Error} when a module failed, with the last 20 lines that it printed.
 */
export async function waitForCloudInit(connection: SshConnection, context: Context): Promise<void> {
  const errors = await waitUntil(
    {
      what: `cloud-init on ${context.name}`,
      timeoutSeconds: TIMEOUT_SECONDS,
      intervalSeconds: 2,
      context,
    },
    async (): Promise<Attempt<string[]>> => {
      const result = await connection.readFile("/run/cloud-init/result.json");
      if (result !== undefined) return { done: resultFile.parse(JSON.parse(result)).v1.errors };
      const disabled = await connection.readFile("/run/cloud-init/disabled");
      if (disabled !== undefined) return { done: [] };
      return { pending: await stage(connection) };
    },
  );
  const fatal = fatalErrors(errors);
  for (const error of errors.filter((each) => !fatal.includes(each))) {
    context.log.warn(`cloud-init on ${context.name}: ${error}`);
  }
  if (fatal.length > 0) {
    // The tables of keys and addresses at its end would hide what failed.
    const lines = await connection.output(
      "reading cloud-init's log",
      `grep -vE '^(ci-info:|<14>|-----|ssh-)' ${log} | tail -n 20`,
    );
    throw new Error(cloudInitFailure(context.name, fatal, lines));
  }
}

/** `errors` are cloud-init's own, such as `('scripts_user', RuntimeError('Runparts: 1 failures …'))`. */
export function fatalErrors(errors: readonly string[]): string[] {
  return errors.filter((error) => !harmlessModules.has(/^\('([\w-]+)'/.exec(error)?.[1] ?? ""));
}

export function cloudInitFailure(name: string, errors: readonly string[], lines: string): string {
  return (
    `user data failed on ${name}: ${errors.join("; ")}. Its last lines (${log}):\n` +
    `${lines.trimEnd()}\n` +
    "Correct the user data and replace the Droplet: cloud-init runs once in its life"
  );
}

async function stage(connection: SshConnection): Promise<string> {
  const status = await connection.readFile("/run/cloud-init/status.json");
  try {
    return `stage ${statusFile.parse(JSON.parse(status ?? "")).v1.stage ?? "between two stages"}`;
  } catch {
    return "not started yet";
  }
}
