import { STATUS_CODES } from "node:http";
import { type Answer, ask } from "../../../providers/http";
import { text, type Values } from "../framework/values";
import { SpacesClient, type SpacesOptions } from "./spaces";

/** DigitalOcean's largest page (digitalocean/openapi description.yml, "Links & Pagination"). */
const PAGE_SIZE = 200;
const DEFAULT_ENDPOINT = "https://api.digitalocean.com";

export interface ClientOptions {
  /** Base URL without `/v2`. @default `DIGITALOCEAN_API_URL`, then DigitalOcean's own */
  readonly endpoint?: string;
  /** @default `DIGITALOCEAN_TOKEN`, then `DIGITALOCEAN_ACCESS_TOKEN` */
  readonly token?: string;
  /** How often a request is repeated after 429, 5xx or a broken connection. @default 4 */
  readonly retryMax: number;
  /** @default 1 */
  readonly retryWaitMinSeconds: number;
  /** @default 30 */
  readonly retryWaitMaxSeconds: number;
  /** 0 = unlimited. @default 0 */
  readonly requestsPerSecond: number;
  /** @default as the environment says */
  readonly spaces?: Omit<SpacesOptions, "signal">;
  readonly signal?: AbortSignal;
}

/** An answer of the API that is no success. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

interface ListPage {
  readonly links?: { readonly pages?: { readonly next?: string } };
}

/** DigitalOcean's REST API with the retries of godo (hashicorp/go-retryablehttp). */
export class ApiClient {
  /** Buckets, which are no part of the REST API. */
  readonly spaces: SpacesClient;
  private nextSlot = 0;

  constructor(private readonly options: ClientOptions) {
    const { signal } = options;
    this.spaces = new SpacesClient({ ...options.spaces, ...(signal && { signal }) });
  }

  get<T>(path: string): Promise<T> {
    return this.request<T>("GET", path);
  }

  post<T>(path: string, body: unknown): Promise<T> {
    return this.request<T>("POST", path, body);
  }

  put<T>(path: string, body: unknown): Promise<T> {
    return this.request<T>("PUT", path, body);
  }

  patch<T>(path: string, body: unknown): Promise<T> {
    return this.request<T>("PATCH", path, body);
  }

  delete(path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<void> {
    return this.request<void>("DELETE", path, body, headers);
  }

  /** `undefined` for 404. */
  async find<T>(path: string): Promise<T | undefined> {
    try {
      return await this.get<T>(path);
    } catch (error) {
      if (isNotFound(error)) {
        return undefined;
      }
      throw error;
    }
  }

  /** Deletes; what is gone already is fine. */
  async remove(path: string, headers?: Readonly<Record<string, string>>): Promise<void> {
    try {
      await this.delete(path, undefined, headers);
    } catch (error) {
      if (!isNotFound(error)) {
        throw error;
      }
    }
  }

  /** Every element of a list, over all pages. `key` is the list's member, e.g. `droplets`. */
  async all<T>(path: string, key: string): Promise<T[]> {
    const found: T[] = [];
    const separator = path.includes("?") ? "&" : "?";
    for (let page = 1; ; page++) {
      const answer = await this.get<ListPage & Record<string, T[]>>(
        `${path}${separator}per_page=${PAGE_SIZE}&page=${page}`,
      );
      found.push(...(answer[key] ?? []));
      if (!answer.links?.pages?.next) {
        return found;
      }
    }
  }

  private async request<T>(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<T> {
    const url = `${this.endpoint()}/v2${path}`;
    const token = this.token();
    for (let attempt = 0; ; attempt++) {
      const last = attempt >= this.options.retryMax;
      await this.throttle();
      let answer: Answer;
      try {
        answer = await ask(url, {
          method,
          headers: {
            Authorization: `Bearer ${token}`,
            Accept: "application/json",
            "Content-Type": "application/json",
            "User-Agent": "archipelago-local-provider",
            ...headers,
          },
          body: body === undefined ? undefined : JSON.stringify(body),
          signal: this.options.signal,
        });
      } catch (error) {
        if (last || this.options.signal?.aborted) {
          throw new Error(`${method} ${url}: ${unreachable(error)}`, { cause: error });
        }
        await this.pause(attempt);
        continue;
      }
      const { status, body: content } = answer;
      if (status >= 200 && status < 300) {
        return (content === "" ? undefined : JSON.parse(content)) as T;
      }
      if (!isTemporary(status) || last) {
        throw failure(method, url, answer);
      }
      await this.pause(attempt, Number(answer.headers["retry-after"]) || undefined);
    }
  }

  private endpoint(): string {
    const endpoint = this.options.endpoint || process.env.DIGITALOCEAN_API_URL || DEFAULT_ENDPOINT;
    return endpoint.replace(/\/+$/, "");
  }

  private token(): string {
    const token =
      this.options.token || process.env.DIGITALOCEAN_TOKEN || process.env.DIGITALOCEAN_ACCESS_TOKEN;
    if (!token) {
      throw new Error(`no DigitalOcean API token is set: ${TOKEN_REMEDY}`);
    }
    return token;
  }

  /** Keeps `requestsPerSecond`, evenly spaced. */
  private async throttle(): Promise<void> {
    if (this.options.requestsPerSecond <= 0) {
      return;
    }
    const now = Date.now();
    const slot = Math.max(now, this.nextSlot);
    this.nextSlot = slot + 1000 / this.options.requestsPerSecond;
    await sleep(slot - now, this.options.signal);
  }

  private pause(attempt: number, retryAfterSeconds?: number): Promise<void> {
    const { retryWaitMinSeconds, retryWaitMaxSeconds, signal } = this.options;
    const seconds =
      retryAfterSeconds ?? Math.min(retryWaitMinSeconds * 2 ** attempt, retryWaitMaxSeconds);
    return sleep(seconds * 1000, signal);
  }

  /** Waits between two polls of something under way. */
  wait(milliseconds: number): Promise<void> {
    return sleep(milliseconds, this.options.signal);
  }
}

export function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}

export function hasStatus(error: unknown, ...statuses: readonly number[]): boolean {
  return error instanceof ApiError && statuses.includes(error.status);
}

const TOKEN_REMEDY =
  "create one at https://cloud.digitalocean.com/account/api/tokens and set it with " +
  "`pulumi config set --secret digitalocean:token` or in the environment as DIGITALOCEAN_TOKEN";

/** go-retryablehttp's policy: 429 and every 5xx but 501. */
function isTemporary(status: number): boolean {
  return status === 429 || (status >= 500 && status !== 501);
}

/** The message in godo's form: `POST https://…/v2/droplets: 422 (request "…") Name is invalid`. */
function failure(method: string, url: string, { status, headers, body }: Answer): ApiError {
  let fault: Values;
  try {
    fault = JSON.parse(body) as Values;
  } catch {
    fault = { message: body.slice(0, 500) };
  }
  const request = text(fault.request_id) || text(headers["x-request-id"]);
  const message = text(fault.message) || (STATUS_CODES[status] ?? "");
  const remedy = status === 401 ? `. DigitalOcean does not accept the token: ${TOKEN_REMEDY}` : "";
  return new ApiError(
    `${method} ${url}: ${status}${request ? ` (request "${request}")` : ""} ${message}${remedy}`,
    status,
  );
}

function unreachable(error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  return `the DigitalOcean API cannot be reached (${reason})`;
}

function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
