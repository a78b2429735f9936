import { z } from "zod";
import { ask } from "../../http";

const API = "https://api.digitalocean.com";

/** More than an account may have by default, so that one page is all of them. */
const PER_PAGE = 200;

/** https://docs.digitalocean.com/reference/api/digitalocean/#operation/droplets_list */
const page = z.object({
  droplets: z.array(
    z.object({
      id: z.number(),
      name: z.string(),
      networks: z.object({
        v4: z.array(z.object({ ip_address: z.string(), type: z.enum(["public", "private"]) })),
      }),
    }),
  ),
});

/** A Droplet of the account, as far as it is looked for here. */
export interface TaggedDroplet {
  readonly id: string;
  readonly name: string;
  /** IPv4; a Droplet without public networking is reached by its private address. */
  readonly host: string | undefined;
}

/**
 * The Droplets with a tag, by DigitalOcean's API.
 *
 * DIGITALOCEAN_API_URL and DIGITALOCEAN_TOKEN (or DIGITALOCEAN_ACCESS_TOKEN) are those of DigitalOcean's own provider.
 *
 * @throws {Error} when there is no token, or the API does not answer.
 */
export async function taggedDroplets(
  tag: string,
  signal: AbortSignal,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<TaggedDroplet[]> {
  const token = environment["DIGITALOCEAN_TOKEN"] ?? environment["DIGITALOCEAN_ACCESS_TOKEN"];
  if (!token)
    throw new Error("DIGITALOCEAN_TOKEN is not set, so that Droplets cannot be looked up");
  const base = environment["DIGITALOCEAN_API_URL"] ?? API;
  const query = new URLSearchParams({ tag_name: tag, per_page: String(PER_PAGE) });
  const { status, body } = await ask(`${base.replace(/\/$/, "")}/v2/droplets?${query.toString()}`, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.any([signal, AbortSignal.timeout(15_000)]),
  });
  if (status !== 200)
    throw new Error(`DigitalOcean answers ${status} to the list of Droplets tagged ${tag}`);
  return page.parse(JSON.parse(body)).droplets.map(({ id, name, networks }) => ({
    id: String(id),
    name,
    host: (networks.v4.find(({ type }) => type === "public") ?? networks.v4[0])?.ip_address,
  }));
}
