import type { IncomingMessage } from "node:http";

/** Largest request body, bytes. */
export const BODY_LIMIT = 16 * 1024;
/** Longest note, characters. */
export const NOTE_LIMIT = 500;

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

/**
 * The `text` of a new note, from JSON or a form.
 *
 * @throws {RequestError} 413, 415 for another content type, 422 for a text that is empty or too long
 */
export async function readNoteText(request: IncomingMessage): Promise<string> {
  const type = request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  const body = await readBody(request);
  let text: unknown;
  if (type === "application/json") text = parseJson(body);
  else if (type === "application/x-www-form-urlencoded")
    text = new URLSearchParams(body).get("text");
  else throw new RequestError(415, "send application/json or a form");
  // PostgreSQL cannot store the null character.
  const clean = typeof text === "string" ? text.replaceAll("\0", "").trim() : "";
  if (clean.length < 1 || clean.length > NOTE_LIMIT) {
    throw new RequestError(
      422,
      `text must have 1 to ${NOTE_LIMIT} characters, got ${clean.length}`,
    );
  }
  return clean;
}

function parseJson(body: string): unknown {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null
      ? (value as { text?: unknown }).text
      : undefined;
  } catch {
    throw new RequestError(400, "the body is no valid JSON");
  }
}
