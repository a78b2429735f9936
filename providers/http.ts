import * as http from "node:http";
import * as https from "node:https";

export interface Request {
  /** @default "GET" */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/**
 * One HTTP exchange, redirects not followed. A program and its plugins live for seconds, and the first `fetch` of a
 * process costs 0.17 s of CPU on Node.js 20 where this costs 0.02 s.
 *
 * @throws {Error} when no answer came.
 */
export function ask(url: string, request: Request = {}): Promise<Answer> {
  const { method = "GET", headers, body, signal } = request;
  return new Promise((resolve, reject) => {
    const send = new URL(url).protocol === "https:" ? https.request : http.request;
    const length = body === undefined ? {} : { "Content-Length": String(Buffer.byteLength(body)) };
    const sent = send(url, { method, headers: { ...headers, ...length }, signal }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("error", reject);
      response.once("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      );
    });
    sent.once("error", (error) => reject(told(error)));
    sent.end(body);
  });
}

/** A host of several addresses fails with an error for each, and no message of its own. */
function told(error: Error): Error {
  if (!(error instanceof AggregateError)) return error;
  const reasons = error.errors.map((each) => (each instanceof Error ? each.message : String(each)));
  return new Error(reasons.join(", "), { cause: error });
}
