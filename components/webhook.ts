const TIMEOUT_MS = 10_000;

/** Posts JSON; the body has a `text` field, which Slack, Mattermost and Discord (at `/slack`) show as it is. */
export type Webhook = (body: Readonly<Record<string, unknown>>) => Promise<void>;

/** @param url Secret: it is in no message. */
export function httpWebhook(url: string): Webhook {
  return async (body) => {
    const response = await fetch(new URL(url), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (!response.ok) throw new Error(`the alarm webhook answered ${response.status}`);
  };
}

/** Why a request failed, without its address, which may be a secret. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "no reason given";
  const { cause } = error;
  // `fetch failed` says nothing; its cause names the host at most.
  return cause instanceof Error && cause.message !== "" ? cause.message : error.message;
}
