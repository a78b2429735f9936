import { AwsV4Signer } from "aws4fetch";
import { type Answer, ask } from "../../../providers/http";

/** What the official provider signs every request with (P config/config.go: SpacesClient). */
const REGION = "us-east-1";
const DEFAULT_ENDPOINT = "https://{{.Region}}.digitaloceanspaces.com";

export interface SpacesOptions {
  /** @default `SPACES_ACCESS_KEY_ID` */
  readonly accessId?: string;
  /** @default `SPACES_SECRET_ACCESS_KEY` */
  readonly secretKey?: string;
  /** URL in which `{{.Region}}` is the bucket's. @default `SPACES_ENDPOINT_URL`, then DigitalOcean's own */
  readonly endpoint?: string;
  readonly signal?: AbortSignal;
}

/** An answer of Spaces that is no success. */
export class SpacesError extends Error {
  constructor(
    message: string,
    readonly status: number,
    /** S3's: `BucketNotEmpty`. Empty where there was no body to tell it. */
    readonly code: string,
  ) {
    super(message);
  }
}

/** DigitalOcean Spaces by the S3 protocol, buckets in the path. */
export class SpacesClient {
  constructor(private readonly options: SpacesOptions) {}

  /**
   * @param path `/<bucket>`, with a query where there is one.
   * @returns the body, XML.
   * @throws {SpacesError} for every status but 2xx; {Error} without a key or an answer.
   */
  async request(
    method: string,
    region: string,
    path: string,
    { headers, body }: { headers?: Readonly<Record<string, string>>; body?: string } = {},
  ): Promise<string> {
    const url = `${this.endpoint(region)}${path}`;
    const signed = await new AwsV4Signer({
      ...this.key(),
      service: "s3",
      region: REGION,
      method,
      url,
      headers: { ...headers },
      ...(body !== undefined && { body }),
    }).sign();
    const answer = await ask(signed.url.toString(), {
      method,
      headers: Object.fromEntries(signed.headers),
      body,
      signal: this.options.signal,
    });
    if (answer.status >= 200 && answer.status < 300) return answer.body;
    throw failure(`${method} ${url}`, answer);
  }

  private endpoint(region: string): string {
    const endpoint = this.options.endpoint || process.env.SPACES_ENDPOINT_URL || DEFAULT_ENDPOINT;
    return endpoint.replace("{{.Region}}", region).replace(/\/+$/, "");
  }

  private key() {
    const accessKeyId = this.options.accessId || process.env.SPACES_ACCESS_KEY_ID;
    const secretAccessKey = this.options.secretKey || process.env.SPACES_SECRET_ACCESS_KEY;
    if (!accessKeyId || !secretAccessKey) {
      throw new Error(
        "no key for Spaces is set: create one with full access at https://cloud.digitalocean.com/spaces/access_keys and " +
          "set SPACES_ACCESS_KEY_ID and SPACES_SECRET_ACCESS_KEY",
      );
    }
    return { accessKeyId, secretAccessKey };
  }
}

function failure(what: string, { status, body }: Answer): SpacesError {
  const [code = ""] = elements(body, "Code");
  const [message = ""] = elements(body, "Message");
  return new SpacesError(`${what}: ${status} ${code} ${message}`.trimEnd(), status, code);
}

/** Contents of every element of a name that does not hold another one of it, as they are written. */
export function elements(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}(?: [^>]*)?>(.*?)</${name}>`, "gs"))].map(
    ([, content = ""]) => content,
  );
}

/** Text of an element, its entities resolved. */
export function plainText(xml: string): string {
  const named: Readonly<Record<string, string>> = {
    lt: "<",
    gt: ">",
    amp: "&",
    quot: '"',
    apos: "'",
  };
  return xml.replace(
    /&(?:#x([0-9a-f]+)|#([0-9]+)|([a-z]+));/gi,
    (entity: string, hex?: string, decimal?: string, name?: string) => {
      if (name !== undefined) return named[name] ?? entity;
      return String.fromCodePoint(hex !== undefined ? Number.parseInt(hex, 16) : Number(decimal));
    },
  );
}
