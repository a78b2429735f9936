import { File } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { RequestError } from "./body";

/** Largest file, bytes. */
export const FILE_LIMIT = 20 * 1024 * 1024;
/** What a form wraps around a file, bytes. */
const FORM_OVERHEAD = 16 * 1024;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** @throws {RequestError} 422 for a name that could not be shown or stored as it is */
export function fileName(given: string): string {
  if (NAME.test(given)) return given;
  throw new RequestError(422, "a file's name has 1 to 100 letters, digits, dots, hyphens");
}

/** @returns how many bytes the client is going to send. @throws {RequestError} 411, 413 */
function announcedSize(request: IncomingMessage, most: number): number {
  const size = Number(request.headers["content-length"] ?? Number.NaN);
  if (!Number.isSafeInteger(size)) throw new RequestError(411, "say the size in Content-Length");
  if (size > most) throw new RequestError(413, `a file may have ${FILE_LIMIT} bytes at most`);
  return size;
}

/** A file that is a request's whole body, passed on while it comes. @throws {RequestError} 411, 413 */
export function streamedFile(request: IncomingMessage) {
  const size = announcedSize(request, FILE_LIMIT);
  const type = request.headers["content-type"] ?? "application/octet-stream";
  return { size, type, body: request };
}

/**
 * The file of a browser's form, whose size only its end tells: in memory.
 *
 * @throws {RequestError} 411, 413, 415 for another content type, 422 without a file
 */
export async function formFile(request: IncomingMessage): Promise<File> {
  const type = request.headers["content-type"] ?? "";
  if (!type.startsWith("multipart/form-data")) throw new RequestError(415, "send a form");
  announcedSize(request, FILE_LIMIT + FORM_OVERHEAD);
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const form = await new Response(Buffer.concat(chunks), { headers: { "content-type": type } })
    .formData()
    .catch(() => {
      throw new RequestError(400, "the form is damaged");
    });
  const file = form.get("file");
  if (!(file instanceof File) || file.size === 0) throw new RequestError(422, "choose a file");
  if (file.size > FILE_LIMIT) {
    throw new RequestError(413, `a file may have ${FILE_LIMIT} bytes at most`);
  }
  return file;
}
