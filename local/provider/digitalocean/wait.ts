import { hasStatus, type ApiClient } from "./client";

/** The official provider's limit for creations and updates (P droplet/resource_droplet.go: Timeouts). */
const TIMEOUT_MS = 60 * 60 * 1000;
/** The official one polls every 3 to 10 s; an API on the loopback interface stands more. */
const FIRST_POLL_MS = 25;
const SLOWEST_POLL_MS = 1000;

export interface Action {
  readonly id: number;
  readonly status: "in-progress" | "completed" | "errored";
}

/** Polls until `probe` gives something. @throws {Error} after an hour, naming what was awaited */
export async function until<T>(
  client: ApiClient,
  what: string,
  probe: () => Promise<T | undefined>,
  timeoutMs: number = TIMEOUT_MS,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (let pause = FIRST_POLL_MS; ; pause = Math.min(pause * 1.5, SLOWEST_POLL_MS)) {
    const found = await probe();
    if (found !== undefined) {
      return found;
    }
    if (Date.now() > deadline) {
      throw new Error(`timeout while waiting for ${what}`);
    }
    await client.wait(pause);
  }
}

/** Starts an action (POST) and waits until it is completed. @throws {Error} when it ends `errored` */
export async function act(
  client: ApiClient,
  what: string,
  path: string,
  body: object,
): Promise<void> {
  const started = (await client.post<{ action: Action }>(path, body)).action;
  let action = started;
  await until(client, what, async () => {
    if (action.status === "in-progress") {
      action = (await client.get<{ action: Action }>(`/actions/${started.id}`)).action;
    }
    if (action.status === "errored") {
      throw new Error(`${what} failed: DigitalOcean reports action ${started.id} as errored`);
    }
    return action.status === "completed" ? true : undefined;
  });
}

/** Does `work`, again for as long as another action on the same Droplet or Volume is under way. */
export async function whenIdle(
  client: ApiClient,
  what: string,
  work: () => Promise<void>,
): Promise<void> {
  await until(client, what, async () => {
    try {
      await work();
      return true;
    } catch (error) {
      if (hasStatus(error, 422) && /pending event/i.test((error as Error).message)) {
        return undefined;
      }
      throw error;
    }
  });
}
