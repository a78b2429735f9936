import { setTimeout as sleep } from "node:timers/promises";
import { createTransport } from "nodemailer";
import { httpWebhook } from "../../webhook";
import type { AlarmWays, MailSettings } from "../watch-settings";
import type { Message } from "./incidents";
import { type Words, wordsOf } from "./words";

/** Tells people. */
export interface Channel {
  readonly name: "webhook" | "mail";
  readonly send: (message: Message) => Promise<void>;
}

/** Between attempts. After the last one the next look is another chance. */
const RETRY_MS = [2000, 10_000, 30_000];

/** For each step of a conversation with a mail server. */
const MAIL_TIMEOUT_MS = 20_000;

const SEVERITIES: Readonly<Record<Message["kind"], string>> = {
  alarm: "critical",
  reminder: "critical",
  "all-clear": "resolved",
  test: "test",
};

/** @param retryMs between attempts. */
export function channelsOf(
  stack: string,
  { webhook, mail }: AlarmWays,
  retryMs: readonly number[] = RETRY_MS,
): Channel[] {
  const channels: Channel[] = [];
  if (webhook !== undefined) {
    const post = httpWebhook(webhook);
    const send = (message: Message) => post(bodyOf(stack, message));
    channels.push({ name: "webhook", send: withRetries(send, retryMs) });
  }
  if (mail !== undefined) {
    const send = (message: Message) => sendMail(mail, wordsOf(stack, message));
    channels.push({ name: "mail", send: withRetries(send, retryMs) });
  }
  return channels;
}

function bodyOf(stack: string, message: Message): Record<string, unknown> {
  const { kind, problems, ended } = message;
  return {
    stack,
    severity: SEVERITIES[kind],
    text: wordsOf(stack, message).text,
    problems: problems.map(({ name, says, since }) => ({ name, says, since })),
    ended: ended.map(({ name, says, since, endedAt }) => ({ name, says, since, endedAt })),
  };
}

/** One connection for one mail: alarms are rare. https://nodemailer.com/smtp */
async function sendMail(mail: MailSettings, { subject, text }: Words): Promise<void> {
  const { host, port, tls, ca, user, password, from, to } = mail;
  const transport = createTransport({
    host,
    port,
    secure: tls === "implicit",
    requireTLS: tls === "starttls",
    ignoreTLS: tls === "none",
    ...(ca !== undefined && { tls: { ca } }),
    ...(user !== undefined && { auth: { user, pass: password ?? "" } }),
    connectionTimeout: MAIL_TIMEOUT_MS,
    greetingTimeout: MAIL_TIMEOUT_MS,
    socketTimeout: MAIL_TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  try {
    await transport.sendMail({ from, to: [...to], subject, text });
  } finally {
    transport.close();
  }
}

function withRetries(
  send: (message: Message) => Promise<void>,
  retryMs: readonly number[],
): Channel["send"] {
  return async (message) => {
    for (const wait of retryMs) {
      try {
        return await send(message);
      } catch {
        await sleep(wait);
      }
    }
    return send(message);
  };
}
