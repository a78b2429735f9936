import type { IncomingMessage } from "node:http";

/** Largest request body, bytes. */
export const BODY_LIMIT = 16 * 1024;
/** Longest note, characters. */
export const NOTE_LIMIT = 500;
/** Longest name of a visitor, characters. */
export const NAME_LIMIT = 60;
/** Longest that a report may take, seconds. */
export const REPORT_SECONDS_LIMIT = 60;

/** A request that is the client's fault, with the status to answer. */
export class RequestError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** @throws {RequestError} 413 as soon as the body grows over the limit */
async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_LIMIT)
      throw new RequestError(413, `a body may have ${BODY_LIMIT} bytes at most`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** What a client sent, as JSON or a form. */
export type Fields = Readonly<Record<string, unknown>>;

/** @throws {RequestError} 400, 413, 415 for another content type */
export async function readFields(request: IncomingMessage): Promise<Fields> {
  const type = request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  const body = await readBody(request);
  if (type === "application/json") return parseJson(body);
  if (type === "application/x-www-form-urlencoded") {
    return Object.fromEntries(new URLSearchParams(body));
  }
  throw new RequestError(415, "send application/json or a form");
}

/** @throws {RequestError} 422 for a text that is empty or too long */
export function textField(fields: Fields, name: string, most: number): string {
  const text = fields[name];
  // PostgreSQL cannot store the null character.
  const clean = typeof text === "string" ? text.replaceAll("\0", "").trim() : "";
  if (clean.length < 1 || clean.length > most) {
    throw new RequestError(422, `${name} must have 1 to ${most} characters, got ${clean.length}`);
  }
  return clean;
}

/** @throws {RequestError} 422 for anything but a whole number from 0 to `most` */
export function countField(fields: Fields, name: string, most: number): number {
  const given = fields[name];
  const value = typeof given === "string" && /^\d{1,16}$/.test(given) ? Number(given) : given;
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > most) {
    throw new RequestError(422, `${name} must be a whole number from 0 to ${most}`);
  }
  return value;
}

function parseJson(body: string): Fields {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? (value as Fields) : {};
  } catch {
    throw new RequestError(400, "the body is no valid JSON");
  }
}
