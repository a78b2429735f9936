import { join } from "node:path";
import type { EdgeSettings } from "../settings";
import type { IssueError, Issuer } from "./acme";
import type { Alarm, Alarms } from "./alarm";
import { type Certificate, CertificateStore } from "./certificates";
import { readIfThere, writeWhole } from "./files";
import { type Log, messageOf } from "./log";
import type { Proxy, ProxyState } from "./proxy";
import { alarmSeverity, daysLeft, renewalTime, waitAfterFailure } from "./schedule";

/** Failures in a row of one name; on disk, so that restarting the agent does not ask the ACME server sooner. */
interface Attempts {
  failures: number;
  lastError?: string;
  /** Epoch milliseconds before which the server is not asked again. */
  notBefore?: number;
}

/** One name as `/status` shows it. Times are ISO 8601. */
export interface CertificateStatus {
  readonly name: string;
  readonly issued: boolean;
  readonly notAfter?: string;
  readonly daysLeft?: number;
  readonly nextAttempt: string;
  readonly failures: number;
  readonly lastError?: string;
}

export interface AgentStatus {
  readonly node: string;
  readonly proxy: ProxyState;
  readonly certificates: readonly CertificateStatus[];
  readonly alarms: readonly Alarm[];
}

export interface AgentParts {
  readonly settings: EdgeSettings;
  readonly proxy: Proxy;
  readonly issuer: Issuer;
  readonly alarms: Alarms;
  readonly log: Log;
  readonly now: () => number;
  readonly random: () => number;
}

const LONGEST_SLEEP_MS = 3_600_000;
const NOT_APPLIED_SLEEP_MS = 1000;
const REFUSED_SLEEP_MS = 60_000;

/** Renders, issues, renews: one pass is `tick`, `run` repeats it when something is due. */
export class Agent {
  private readonly store: CertificateStore;
  private readonly attempts: Record<string, Attempts>;
  private readonly attemptsPath: string;

  constructor(private readonly parts: AgentParts) {
    const { dataDir } = parts.settings;
    this.store = new CertificateStore(dataDir);
    this.attemptsPath = join(dataDir, "attempts.json");
    this.attempts = parseAttempts(readIfThere(this.attemptsPath));
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.tick();
      await sleep(this.untilNext(), signal);
    }
  }

  /** Applies what is known, then asks for whatever certificate is due, one at a time. */
  async tick(): Promise<void> {
    const { settings, proxy } = this.parts;
    await proxy.apply(await this.certificates());
    // The challenge is answered through HAProxy: asking before it runs would only burn an attempt.
    if (!proxy.current.applied) return;
    if (settings.acme.paused) return;
    for (const name of settings.names) {
      if (this.dueAt(name) > this.parts.now()) continue;
      await this.renew(name);
      await proxy.apply(await this.certificates());
    }
  }

  status(): AgentStatus {
    const { settings, proxy, alarms } = this.parts;
    return {
      node: process.env.NODE_NAME ?? "",
      proxy: proxy.current,
      certificates: settings.names.map((name) => this.certificateStatus(name)),
      alarms: alarms.active,
    };
  }

  private async renew(name: string): Promise<void> {
    const { issuer, alarms, log } = this.parts;
    const before = this.store.issued(name);
    try {
      const certificate = this.store.keep(name, await issuer.issue(name));
      delete this.attempts[name];
      this.saveAttempts();
      log("info", before ? "certificate.renewed" : "certificate.issued", {
        name,
        daysLeft: daysLeft(certificate, this.parts.now()),
      });
      await alarms.clear(name);
    } catch (error) {
      await this.failed(name, error, before);
    }
  }

  private async failed(name: string, error: unknown, held: Certificate | undefined) {
    const { now, random, alarms } = this.parts;
    const failures = (this.attempts[name]?.failures ?? 0) + 1;
    const retryAfter = (error as Partial<IssueError>).retryAfter ?? 0;
    const notBefore = now() + waitAfterFailure(failures, random(), retryAfter);
    const lastError = messageOf(error);
    this.attempts[name] = { failures, lastError, notBefore };
    this.saveAttempts();
    const left = held && daysLeft(held, now());
    const message = held
      ? `the certificate for ${name} was not renewed and ends in ${left} days: ${lastError}`
      : `no certificate for ${name} could be had, browsers will warn: ${lastError}`;
    await alarms.raise(
      { name, severity: alarmSeverity(held, failures, now()), message },
      { daysLeft: left, failures, nextAttempt: new Date(notBefore).toISOString() },
    );
  }

  /** Epoch milliseconds at which this name's certificate is to be asked for. */
  private dueAt(name: string): number {
    const held = this.store.issued(name);
    const wanted = held ? renewalTime(held, held.jitter) : 0;
    return Math.max(wanted, this.attempts[name]?.notBefore ?? 0);
  }

  private untilNext(): number {
    const { applied, refused } = this.parts.proxy.current;
    if (!applied) return refused ? REFUSED_SLEEP_MS : NOT_APPLIED_SLEEP_MS;
    if (this.parts.settings.acme.paused) return LONGEST_SLEEP_MS;
    const next = Math.min(...this.parts.settings.names.map((name) => this.dueAt(name)), Infinity);
    return Math.min(Math.max(next - this.parts.now(), 0), LONGEST_SLEEP_MS);
  }

  private certificates(): Promise<Certificate[]> {
    return Promise.all(
      this.parts.settings.names.map(
        async (name) => this.store.issued(name) ?? (await this.store.placeholder(name)),
      ),
    );
  }

  private certificateStatus(name: string): CertificateStatus {
    const held = this.store.issued(name);
    const { failures = 0, lastError } = this.attempts[name] ?? {};
    return {
      name,
      issued: held !== undefined,
      ...(held && {
        notAfter: new Date(held.notAfter).toISOString(),
        daysLeft: daysLeft(held, this.parts.now()),
      }),
      nextAttempt: new Date(this.dueAt(name)).toISOString(),
      failures,
      ...(lastError !== undefined && { lastError }),
    };
  }

  private saveAttempts() {
    writeWhole(this.attemptsPath, `${JSON.stringify(this.attempts, null, 2)}\n`, 0o600);
  }
}

/** A damaged file only costs the memory of failures. */
function parseAttempts(text: string | undefined): Record<string, Attempts> {
  try {
    return text === undefined ? {} : (JSON.parse(text) as Record<string, Attempts>);
  } catch {
    return {};
  }
}

function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", done, { once: true });
    function done() {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
  });
}
