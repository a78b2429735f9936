/** As many requests as clients can send that each wait for their answer: what a fleet can do, and not how it reacts. */
import { Agent, request, type Dispatcher } from "undici";
import { reasonOf, TIMEOUT_MS } from "./load";

export interface LoopResult {
  readonly seconds: number;
  readonly answered: number;
  /** Of those not answered as expected, what happened. */
  readonly reasons: readonly string[];
}

/** What one request asks, and whether its answer is right. */
export interface Question {
  readonly method: "GET" | "POST";
  readonly body?: Buffer;
  readonly isRight: (body: Buffer) => boolean;
}

/**
 * Clients that ask `url` again and again, each after its answer came, until `more` says no. No request is repeated.
 *
 * @param question of the nth request, counted from 0.
 */
export async function closedLoop(
  url: string,
  clients: number,
  more: (sent: number) => boolean,
  question: (sent: number) => Question,
): Promise<LoopResult> {
  const agent = new Agent({ connections: clients, pipelining: 1 });
  const started = Date.now();
  const reasons: string[] = [];
  let sent = 0;
  let answered = 0;
  const client = async () => {
    while (more(sent)) {
      const reason = await ask(url, agent, question(sent++));
      if (reason === undefined) answered += 1;
      else reasons.push(reason);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  await agent.close();
  return { seconds: (Date.now() - started) / 1000, answered, reasons };
}

/** @returns what was wrong; undefined when nothing was. */
async function ask(
  url: string,
  dispatcher: Dispatcher,
  { method, body, isRight }: Question,
): Promise<string | undefined> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await request(url, { dispatcher, method, body: body ?? null, signal });
    const answer = Buffer.from(await response.body.arrayBuffer());
    if (response.statusCode !== 200) return `HTTP ${response.statusCode}`;
    return isRight(answer) ? undefined : `an answer of ${answer.length} bytes that is wrong`;
  } catch (error) {
    return reasonOf(error);
  }
}
