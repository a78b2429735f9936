import type { DockerClient, RegistryAuth } from "./client";

/** The registry is asked for this long; a creation goes on without an answer. */
const REGISTRY_TIMEOUT_MS = 10 * 1000;

/** What a registry tells of an image. */
export interface Distribution {
  readonly Descriptor?: { readonly digest?: string };
  readonly Platforms?: readonly { readonly architecture?: string; readonly os?: string }[];
}

/** Asks the image's registry through the engine; `undefined` where it gives no answer. */
export async function inspectDistribution(
  client: DockerClient,
  image: string,
  auth: RegistryAuth | undefined,
): Promise<Distribution | undefined> {
  const { modem } = await client.engine();
  return new Promise((resolve) => {
    modem.dial(
      {
        path: `/distribution/${image}/json`,
        method: "GET",
        authconfig: auth,
        abortSignal: AbortSignal.any([client.signal, AbortSignal.timeout(REGISTRY_TIMEOUT_MS)]),
        statusCodes: { 200: true, 401: "unauthorized", 403: "forbidden", 500: "server error" },
      },
      (error: unknown, data: unknown) => resolve(error ? undefined : (data as Distribution)),
    );
  });
}
