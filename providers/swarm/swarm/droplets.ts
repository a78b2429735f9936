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

/** https://docs.digitalocean.com/reference/api/digitalocean/#operation/droplets_get */
const single = z.object({
  droplet: z.object({ tags: z.array(z.string()), size_slug: z.string() }),
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
  const query = new URLSearchParams({ tag_name: tag, per_page: String(PER_PAGE) });
  const what = `the list of Droplets tagged ${tag}`;
  const answer = await answerOf(`droplets?${query.toString()}`, what, signal, environment);
  return page.parse(answer).droplets.map(({ id, name, networks }) => ({
    id: String(id),
    name,
    host: (networks.v4.find(({ type }) => type === "public") ?? networks.v4[0])?.ip_address,
  }));
}

/**
 * One Droplet, by DigitalOcean's API.
 *
 * @throws {Error} when there is no token, the API does not answer, or there is no such Droplet.
 */
export async function dropletWithId(
  id: string,
  signal: AbortSignal,
): Promise<{ readonly tags: readonly string[]; readonly size: string }> {
  const answer = await answerOf(`droplets/${id}`, `Droplet ${id}`, signal, process.env);
  const { tags, size_slug: size } = single.parse(answer).droplet;
  return { tags, size };
}

async function answerOf(
  resource: string,
  what: string,
  signal: AbortSignal,
  environment: NodeJS.ProcessEnv,
): Promise<unknown> {
  const token = environment["DIGITALOCEAN_TOKEN"] ?? environment["DIGITALOCEAN_ACCESS_TOKEN"];
  if (!token)
    throw new Error("DIGITALOCEAN_TOKEN is not set, so that Droplets cannot be looked up");
  const base = environment["DIGITALOCEAN_API_URL"] ?? API;
  const { status, body } = await ask(`${base.replace(/\/$/, "")}/v2/${resource}`, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.any([signal, AbortSignal.timeout(15_000)]),
  });
  if (status !== 200) throw new Error(`DigitalOcean answers ${status} to ${what}`);
  return JSON.parse(body);
}
