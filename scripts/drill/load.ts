/** Bounded load on the front address, with every request accounted for. */
import { setTimeout as delay } from "node:timers/promises";
import { Agent, request } from "undici";
import { median } from "../bench/report";

/** An answer that takes longer is none. */
export const TIMEOUT_MS = 10_000;
export const REQUESTS_PER_SECOND = 50;
/** Requests on their way at one moment; the next one waits. */
const MAX_IN_FLIGHT = 64;
/** One request in this many comes over a connection of its own. */
const NEW_CONNECTION_EVERY = 4;

/** What is asked, and how to get there when no public DNS or authority knows it. */
export interface Front {
  readonly url: string;
  /** IPv4 address to connect to, or who is asked for it at each request. @default what the URL's host resolves to */
  readonly address?: string | (() => Promise<string>);
  /** Authority of its certificate, PEM; `any`: whatever certificate is shown. @default the public ones */
  readonly ca?: string;
}

export interface Failure {
  /** When it was sent, in milliseconds since the epoch. */
  readonly sentAt: number;
  /** When it failed. */
  readonly at: number;
  /** `HTTP 503 through the edge`, or the connection's error. */
  readonly reason: string;
}

export interface LoadResult {
  readonly seconds: number;
  /** Requests sent; each was answered or is in `failures`. */
  readonly requests: number;
  readonly failures: readonly Failure[];
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface Load {
  /** Requests on their way right now. */
  inFlight(): number;
  /** Sends no more, and waits for the answers to what is on its way. */
  stop(): Promise<LoadResult>;
}

/**
 * Asks the front at a steady rate, whether answers come or not, until stopped. No request is repeated. An
 * answer below 400 whose body came whole is good; anything else, and none within 10 s, is a failure.
 */
export function startLoad(front: Front, perSecond = REQUESTS_PER_SECOND): Load {
  const visitor = visitors(front);
  const started = Date.now();
  const failures: Failure[] = [];
  const latencies: number[] = [];
  const inFlight = new Set<Promise<void>>();
  let sent = 0;
  let going = true;

  const visit = async (reset: boolean) => {
    const sentAt = Date.now();
    const fail = (reason: string) => failures.push({ sentAt, at: Date.now(), reason });
    try {
      const { statusCode, headers, body } = await visitor.request(front.url, {
        reset,
        headersTimeout: TIMEOUT_MS,
        bodyTimeout: TIMEOUT_MS,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      await body.arrayBuffer();
      if (statusCode < 400) latencies.push(Date.now() - sentAt);
      // The edge numbers every answer that it gives or hands on.
      else
        fail(`HTTP ${statusCode} ${"x-request-id" in headers ? "through the edge" : "before it"}`);
    } catch (error) {
      fail(reasonOf(error));
    }
  };

  const sending = (async () => {
    while (going) {
      const due = Math.floor(((Date.now() - started) / 1000) * perSecond);
      // A pause of this process must not become a burst.
      if (due - sent > perSecond) sent = due - perSecond;
      while (sent < due && inFlight.size < MAX_IN_FLIGHT) {
        sent += 1;
        const one = visit(sent % NEW_CONNECTION_EVERY === 0);
        inFlight.add(one);
        void one.finally(() => inFlight.delete(one));
      }
      await delay(5);
    }
  })();

  return {
    inFlight: () => inFlight.size,
    async stop() {
      going = false;
      await sending;
      await Promise.all(inFlight);
      await visitor.close();
      return {
        seconds: (Date.now() - started) / 1000,
        requests: latencies.length + failures.length,
        failures,
        p50Ms: median(latencies),
        p99Ms: percentile(latencies, 0.99),
      };
    },
  };
}

type RequestOptions = Omit<NonNullable<Parameters<typeof request>[1]>, "dispatcher">;

/** Clients of a front: connections to an address are used for as long as the name leads there. */
export function visitors(front: Front) {
  const agents = new Map<string, Agent>();
  const closing: Promise<void>[] = [];
  const agentAt = (address: string | undefined) => {
    const key = address ?? "";
    const known = agents.get(key);
    if (known) return known;
    for (const [old, agent] of agents) {
      agents.delete(old);
      // What is on its way there ends there.
      closing.push(agent.close());
    }
    const agent = agentFor(front, address);
    agents.set(key, agent);
    return agent;
  };
  return {
    async request(url: string, options: RequestOptions) {
      const { address } = front;
      const now = typeof address === "function" ? await address() : address;
      return request(url, { ...options, dispatcher: agentAt(now) });
    },
    async close() {
      await Promise.all([...closing, ...[...agents.values()].map((agent) => agent.close())]);
    },
  };
}

function agentFor({ ca }: Front, address: string | undefined): Agent {
  return new Agent({
    connections: MAX_IN_FLIGHT,
    pipelining: 1,
    connect: {
      ...(ca === "any" ? { rejectUnauthorized: false } : ca !== undefined && { ca }),
      ...(address !== undefined && {
        lookup: (_host, _options, found) => found(null, [{ address, family: 4 }]),
      }),
    },
  });
}

/** Why a request failed, in a few words. */
export function reasonOf(error: unknown): string {
  const { name, code, message } = error as NodeJS.ErrnoException;
  if (name === "TimeoutError") return `no answer within ${TIMEOUT_MS / 1000} s`;
  return code ?? message;
}

/** The value that a share of all values does not exceed (nearest rank). */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN;
}
