import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { AwsClient } from "aws4fetch";
import type { BucketPlace } from "../settings";

export interface BucketObject {
  readonly key: string;
  readonly bytes: number;
  readonly modified: Date;
}

/** An object as it is read. */
export interface ObjectContent {
  readonly bytes: number;
  readonly modified: Date;
  /** What it is served with. */
  readonly type: string;
  readonly content: Readable;
}

/** The most that one upload may have. https://docs.digitalocean.com/products/spaces/details/limits/ */
const UPLOAD_LIMIT = 5 * 2 ** 30;

/** Says in an object which backup it came back from. */
const RESTORED = "x-amz-meta-archipelago-restored";

/** The bucket of uploaded files, by the S3 protocol, buckets in the path. */
export class Bucket {
  private readonly client: AwsClient;

  constructor(
    private readonly place: BucketPlace,
    private readonly signal: AbortSignal,
  ) {
    const { accessKey, secretKey, region } = place;
    this.client = new AwsClient({
      accessKeyId: accessKey,
      secretAccessKey: secretKey,
      service: "s3",
      region,
      retries: 5,
    });
  }

  /** Everything in it, in order of keys. @param page how many are asked for at a time, 1000 at most. */
  async list(page = 1000): Promise<BucketObject[]> {
    const found: BucketObject[] = [];
    let from = "";
    do {
      const query = `?list-type=2&max-keys=${page}${from && `&continuation-token=${encodeURIComponent(from)}`}`;
      const answer = await this.fetch("GET", this.url("") + query);
      const text = await answer.text();
      for (const [, entry = ""] of text.matchAll(/<Contents>([\s\S]*?)<\/Contents>/g)) {
        const key = unescaped(element(entry, "Key"));
        const modified = new Date(element(entry, "LastModified"));
        found.push({ key, bytes: Number(element(entry, "Size")), modified });
      }
      from = unescaped(element(text, "NextContinuationToken"));
    } while (from !== "");
    return found;
  }

  /** @returns undefined when it is not there. */
  async read(key: string): Promise<ObjectContent | undefined> {
    const answer = await this.fetch("GET", this.url(key), {}, [404]);
    if (answer.status === 404) return undefined;
    if (answer.body === null) throw new Error(`${key} came without a body`);
    const content = Readable.fromWeb(answer.body);
    return { ...described(answer), content };
  }

  /** @returns what is there now, and which backup it came back from; undefined when nothing is. */
  async look(
    key: string,
  ): Promise<(Omit<ObjectContent, "content"> & { restored: string | null }) | undefined> {
    const answer = await this.fetch("HEAD", this.url(key), {}, [404]);
    if (answer.status === 404) return undefined;
    return { ...described(answer), restored: answer.headers.get(RESTORED) };
  }

  /** @param restored names the backup. */
  async write(
    key: string,
    { bytes, type, content }: Omit<ObjectContent, "modified">,
    restored: string,
  ): Promise<void> {
    if (bytes > UPLOAD_LIMIT) throw new Error(`${key} has ${bytes} bytes: too many for one upload`);
    const headers = { "content-type": type, [RESTORED]: restored };
    const signed = await this.client.sign(this.url(key), { method: "PUT", headers });
    const send = this.place.endpoint.startsWith("https:") ? httpsRequest : httpRequest;
    const request = send(signed.url, {
      method: "PUT",
      headers: { ...Object.fromEntries(signed.headers), "content-length": bytes },
      signal: this.signal,
    });
    const answered = new Promise<number>((done, failed) => {
      request.once("error", failed).once("response", (response) => {
        response.resume().once("end", () => done(response.statusCode ?? 0));
      });
    });
    answered.catch(() => undefined);
    await pipeline(content, request);
    const status = await answered;
    if (status >= 300) throw new Error(`${key} cannot be written: the bucket answers ${status}`);
  }

  /** Within the bucket, and on the server. */
  async copy(key: string, to: string): Promise<void> {
    const from = `/${this.place.bucket}/${escaped(key)}`;
    await (await this.fetch("PUT", this.url(to), { "x-amz-copy-source": from })).text();
  }

  private url(key: string): string {
    return `${this.place.endpoint}/${this.place.bucket}${key && `/${escaped(key)}`}`;
  }

  private async fetch(
    method: string,
    url: string,
    headers: Record<string, string> = {},
    allowed: readonly number[] = [],
  ): Promise<Response> {
    const answer = await this.client.fetch(url, { method, headers, signal: this.signal });
    if (answer.ok || allowed.includes(answer.status)) return answer;
    throw new Error(
      `the bucket ${this.place.bucket} answers ${answer.status}: ${(await answer.text()).slice(0, 300)}`,
    );
  }
}

function described({ headers }: Response) {
  return {
    bytes: Number(headers.get("content-length")),
    modified: new Date(headers.get("last-modified") ?? 0),
    type: headers.get("content-type") ?? "application/octet-stream",
  };
}

const element = (xml: string, name: string) =>
  new RegExp(`<${name}>([\\s\\S]*?)</${name}>`).exec(xml)?.[1] ?? "";

const ENTITIES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
};

/** Of XML. */
const unescaped = (text: string) =>
  text.replaceAll(
    /&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi,
    (all, hex?: string, dec?: string, name = "") =>
      hex
        ? String.fromCodePoint(parseInt(hex, 16))
        : dec
          ? String.fromCodePoint(Number(dec))
          : (ENTITIES[String(name)] ?? all),
  );

/** For a URL, as signatures want it. */
const escaped = (key: string) =>
  encodeURIComponent(key)
    .replaceAll("%2F", "/")
    .replaceAll(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);
