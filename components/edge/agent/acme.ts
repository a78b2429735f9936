import { Agent as HttpsAgent } from "node:https";
import { join } from "node:path";
import * as acme from "acme-client";
import type { AcmeSettings } from "../settings";
import { readIfThere, writeWhole } from "./files";
import { retryAfterMs } from "./schedule";

/** Gets a certificate for one name. */
export interface Issuer {
  /**
   * @returns PEM of the private key followed by the chain.
   * @throws {IssueError}
   */
  issue(name: string): Promise<string>;
}

/** Why no certificate was issued, and how long the server wants to be left alone. */
export class IssueError extends Error {
  constructor(
    message: string,
    /** Milliseconds from the server's last Retry-After, else 0. */
    readonly retryAfter: number,
  ) {
    super(message);
  }
}

const POLL = { backoffAttempts: 20, backoffMin: 1000, backoffMax: 10_000 };
const REQUEST_TIMEOUT_MS = 30_000;

/** HTTP-01 (RFC 8555 §8.3) through acme-client: HAProxy passes the challenge path to this agent, which asks `challenges`. */
export class AcmeIssuer implements Issuer {
  /** Token → key authorization, served under /.well-known/acme-challenge/. */
  readonly challenges = new Map<string, string>();
  private client: acme.Client | undefined;
  private retryAfter = 0;

  constructor(
    private readonly settings: AcmeSettings,
    private readonly dataDir: string,
  ) {
    // One attempt a request: waiting and trying again is the schedule's work, and it survives a restart.
    const defaults = acme.axios.defaults as typeof acme.axios.defaults & {
      acmeSettings: { retryMaxAttempts: number };
    };
    defaults.acmeSettings.retryMaxAttempts = 0;
    acme.axios.defaults.timeout = REQUEST_TIMEOUT_MS;
    if (settings.caPem) acme.axios.defaults.httpsAgent = new HttpsAgent({ ca: settings.caPem });
    acme.axios.interceptors.response.use((response) => {
      const header: unknown = response.headers["retry-after"];
      if (response.status === 429 || response.status === 503) {
        this.retryAfter = retryAfterMs(typeof header === "string" ? header : undefined, Date.now());
      }
      return response;
    });
  }

  async issue(name: string): Promise<string> {
    this.retryAfter = 0;
    try {
      return await this.order(name);
    } catch (error) {
      throw new IssueError(describe(error, this.settings.directoryUrl), this.retryAfter);
    } finally {
      this.challenges.clear();
    }
  }

  private async order(name: string): Promise<string> {
    const client = await this.account();
    const order = await client.createOrder({ identifiers: [{ type: "dns", value: name }] });
    for (const authorization of await client.getAuthorizations(order)) {
      if (authorization.status === "valid") continue;
      const challenge = authorization.challenges.find((one) => one.type === "http-01");
      if (!challenge) throw new Error(`the ACME server offers no HTTP-01 challenge for ${name}`);
      this.challenges.set(challenge.token, await client.getChallengeKeyAuthorization(challenge));
      await client.completeChallenge(challenge);
      await client.waitForValidStatus(challenge);
    }
    const key = await acme.crypto.createPrivateEcdsaKey("P-256");
    const [, request] = await acme.crypto.createCsr({ altNames: [name] }, key);
    const finalized = await client.finalizeOrder(order, request);
    const chain = await client.getCertificate(finalized);
    return `${key.toString().trim()}\n${chain.trim()}\n`;
  }

  private async account(): Promise<acme.Client> {
    if (this.client) return this.client;
    const { directoryUrl, email } = this.settings;
    const path = join(this.dataDir, "account-key.pem");
    let accountKey = readIfThere(path);
    if (accountKey === undefined) {
      accountKey = (await acme.crypto.createPrivateEcdsaKey("P-256")).toString();
      writeWhole(path, accountKey, 0o600);
    }
    const client = new acme.Client({ directoryUrl, accountKey, ...POLL });
    // Registers the key, or finds the account that it already has (RFC 8555 §7.3).
    await client.createAccount({
      termsOfServiceAgreed: true,
      ...(email ? { contact: [`mailto:${email}`] } : {}),
    });
    this.client = client;
    return client;
  }
}

function describe(error: unknown, directoryUrl: string): string {
  const message = error instanceof Error ? error.message : String(error);
  const code = (error as { code?: unknown }).code;
  const unreachable = ["ECONNREFUSED", "ENOTFOUND", "ETIMEDOUT", "ECONNABORTED", "EAI_AGAIN"];
  return typeof code === "string" && unreachable.includes(code)
    ? `the ACME server ${directoryUrl} cannot be reached: ${message || code}`
    : message || "unknown error";
}
