import type { Blob } from "node:buffer";
import type { Readable } from "node:stream";
import { AwsClient } from "aws4fetch";
import type { Settings } from "./settings";

/** Where the app's own files lie in the bucket. */
const FOLDER = "uploads/";
const LIST_TIMEOUT_MS = 5000;
/** A file of the largest size, over a slow line. */
const TRANSFER_TIMEOUT_MS = 120_000;

export interface StoredFile {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
}

export interface FileContent {
  readonly body: ReadableStream<Uint8Array>;
  readonly type: string;
  /** Bytes. */
  readonly size: number;
}

/** Files in a bucket, which every copy of the app sees. Every method rejects when the bucket does not answer. */
export class Files {
  private readonly client: AwsClient;
  private readonly bucket: string;

  constructor({ endpoint, region, bucket, accessKey, secretKey }: NonNullable<Settings["files"]>) {
    this.client = new AwsClient({
      accessKeyId: accessKey,
      secretAccessKey: secretKey,
      service: "s3",
      region,
      // A body that is passed on cannot be sent again.
      retries: 0,
    });
    this.bucket = `${endpoint}/${bucket}`;
  }

  /** @param size bytes that the body has: the bucket wants to know beforehand. */
  async put(name: string, type: string, size: number, body: Readable | Blob): Promise<void> {
    const init = {
      method: "PUT",
      headers: { "content-type": type, "content-length": String(size) },
      body,
      // Node.js wants this of a body that comes bit by bit.
      duplex: "half",
    };
    await succeeded(await this.ask(pathOf(name), TRANSFER_TIMEOUT_MS, init as RequestInit));
  }

  async get(name: string): Promise<FileContent | undefined> {
    const response = await this.ask(pathOf(name), TRANSFER_TIMEOUT_MS);
    if (response.status === 404) return undefined;
    await succeeded(response, true);
    return {
      body: response.body ?? new ReadableStream(),
      type: response.headers.get("content-type") ?? "application/octet-stream",
      size: Number(response.headers.get("content-length")),
    };
  }

  /** Succeeds when there is no such file. */
  async delete(name: string): Promise<void> {
    await succeeded(await this.ask(pathOf(name), LIST_TIMEOUT_MS, { method: "DELETE" }));
  }

  /** By name. */
  async list(limit: number): Promise<StoredFile[]> {
    const query = `?list-type=2&max-keys=${limit}&prefix=${encodeURIComponent(FOLDER)}`;
    const response = await this.ask(`/${query}`, LIST_TIMEOUT_MS);
    const xml = await succeeded(response);
    return [...xml.matchAll(/<Contents>(.*?)<\/Contents>/gs)].map(([, entry = ""]) => ({
      // Names have nothing that XML would escape.
      name: (/<Key>(.*?)<\/Key>/s.exec(entry)?.[1] ?? "").slice(FOLDER.length),
      size: Number(/<Size>(\d+)<\/Size>/.exec(entry)?.[1]),
    }));
  }

  private ask(path: string, timeoutMs: number, init: RequestInit = {}): Promise<Response> {
    const signal = AbortSignal.timeout(timeoutMs);
    return this.client.fetch(`${this.bucket}${path}`, { ...init, signal });
  }
}

const pathOf = (name: string) => `/${FOLDER}${encodeURIComponent(name)}`;

/** @returns the body, unless it is left for another. @throws {Error} with what the bucket said. */
async function succeeded(response: Response, leaveBody = false): Promise<string> {
  if (response.ok && leaveBody) return "";
  const text = await response.text();
  if (response.ok) return text;
  const code = /<Code>(.*?)<\/Code>/.exec(text)?.[1] ?? "";
  throw new Error(`files: ${response.status} ${code}`.trimEnd());
}
