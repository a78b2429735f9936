import type { ApiOptions } from "../../../local/api";
import { type Answer, TestApi } from "../../unit/api/harness";
import { available, Description } from "./openapi";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** Calls a local DigitalOcean, and holds each answer against the description. */
export class Caller {
  /** What was wrong with answers so far. */
  readonly faults: string[] = [];

  /** Set by `start`. */
  test!: TestApi;
  description!: Description;

  async start(options: Partial<ApiOptions>): Promise<void> {
    this.test = await TestApi.start(options);
    this.description = new Description();
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

/** Tests of answers, on a local DigitalOcean of their own; skipped where there is no description to hold them against. */
export function describeAnswers(
  body: (caller: Caller) => void,
  options: Partial<ApiOptions> = {},
): void {
  if (!available)
    console.log(
      "skipped: DigitalOcean's API description is not beside this checkout (../shared/reference)",
    );
  (available ? describe : describe.skip)("official clients can read every answer (OpenAPI)", () => {
    const caller = new Caller();
    beforeAll(() => caller.start(options));
    afterAll(() => caller.stop());
    body(caller);
  });
}
