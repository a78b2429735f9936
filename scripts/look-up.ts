import type { Api } from "./stack-state";

/**
 * What DigitalOcean says of something.
 *
 * @param resource path below `/v2/`, such as `droplets/7`.
 * @returns undefined for what does not exist. @throws {Error} when the API does not say.
 */
export async function lookUp({ url, token }: Api, resource: string): Promise<unknown> {
  const response = await fetch(`${url}/v2/${resource}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  if (response.ok) return response.json();
  await response.body?.cancel();
  if (response.status === 404) return undefined;
  throw new Error(`${url} answered ${response.status} to GET ${resource}`);
}
