import type { ApiOptions } from "../../../local/api";
import { type Answer, TestApi } from "../../unit/api/harness";
import { Description } from "./openapi";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** Calls a local DigitalOcean, and holds each answer against the description. */
export class Caller {
  /** What was wrong with answers so far. */
  readonly faults: string[] = [];

  private constructor(
    readonly test: TestApi,
    readonly description: Description,
  ) {}

  static async start(options: Partial<ApiOptions> = {}): Promise<Caller> {
    return new Caller(await TestApi.start(options), new Description());
  }

  /** Calls, checks the status and validates the answer. */
  call = async (
    method: Method,
    url: string,
    status: number,
    body?: object,
    headers?: Record<string, string>,
  ): Promise<Answer["body"]> => {
    const answer = await this.test.call(method, url, body, headers);
    if (answer.status !== status)
      throw new Error(`${method} ${url}: ${answer.status} ${JSON.stringify(answer.body)}`);
    this.faults.push(...this.description.faults(method, url, status, answer.body));
    for (const header of ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"])
      expect(answer.headers[header]).toBeDefined();
    return answer.body;
  };

  /** Begins an action and waits for its end. */
  act = async (url: string, status: number, body: object): Promise<void> => {
    const started = (await this.call("POST", url, status, body)) as object;
    await this.test.settled({ status, headers: {}, body: started });
  };

  /** Operations below the paths that no call has answered with success. */
  missing(built: RegExp, notBuilt?: RegExp): string[] {
    const { description } = this;
    return description.paths
      .filter((path) => built.test(path) && !notBuilt?.test(path))
      .flatMap((path) => description.methods(path).map((method) => `${method} ${path}`))
      .filter((each) => ![...description.seen].some((seen) => seen.startsWith(`${each} 2`)));
  }

  stop(): Promise<void> {
    return this.test.stop();
  }
}
