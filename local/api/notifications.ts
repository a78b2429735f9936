import { z } from "zod";

/** Whom an alert would tell. Nothing is ever sent: nothing leaves the machine. */
export interface Notifications {
  readonly email: readonly string[];
  readonly slack: readonly { readonly channel: string; readonly url: string }[];
}

export const notificationsInput = z
  .object({
    email: z.array(z.string()).nullish(),
    slack: z.array(z.object({ channel: z.string(), url: z.string() })).nullish(),
  })
  .transform(({ email, slack }): Notifications => ({ email: email ?? [], slack: slack ?? [] }));
