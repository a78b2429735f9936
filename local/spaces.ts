/** Buckets of the local DigitalOcean for whoever runs beside it: Pulumi, and tools that the user starts. */
import { z } from "zod";
import type { Daemon } from "./daemon/client";
import { Fault } from "./fault";
import { step } from "./progress";
import { officialPlugins } from "./pulumi";
import { ensureS3Program } from "./s3/program";

const answer = z.object({
  endpoint: z.string(),
  droplet_endpoint: z.string(),
  access_key: z.string(),
  secret_key: z.string(),
});

/**
 * Has the S3 server run, after making its program where there is none yet.
 *
 * @returns the variables that DigitalOcean's provider reads, and the endpoint for the services of a stack.
 * @throws {Fault} where machines are simulated, or the program cannot be made.
 */
export async function openSpaces({ url, token, machines }: Daemon) {
  if (machines === "simulated") {
    throw new Fault(
      "There is no S3 server where machines are simulated: nothing could keep files.",
    );
  }
  await step("S3 server", ensureS3Program);
  const response = await fetch(`${url}/_local/spaces`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
  });
  if (!response.ok) throw new Fault(`The S3 server did not start: ${await response.text()}`);
  const spaces = answer.parse(await response.json());
  return {
    SPACES_ENDPOINT_URL: spaces.endpoint,
    SPACES_ACCESS_KEY_ID: spaces.access_key,
    SPACES_SECRET_ACCESS_KEY: spaces.secret_key,
    ARCHIPELAGO_FILES_ENDPOINT: spaces.droplet_endpoint,
  };
}

/**
 * The same for a Pulumi command on a stack that has or had a bucket; nothing where machines are simulated, whose
 * program makes none.
 *
 * @throws {Fault} with DigitalOcean's own plugin.
 */
export async function spacesForStack(daemon: Daemon): Promise<Readonly<Record<string, string>>> {
  if (daemon.machines === "simulated") return {};
  if (officialPlugins()) {
    throw new Fault(
      "DigitalOcean's own plugin cannot use the local Spaces: it puts the bucket's name before the server's, and asks for " +
        "lifecycle rules. Unset ARCHIPELAGO_PLUGINS, or take archipelago:files out of the stack file.",
    );
  }
  return openSpaces(daemon);
}
