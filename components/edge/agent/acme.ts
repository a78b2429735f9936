import { Agent as HttpsAgent, get } from "node:https";
import { join } from "node:path";
import * as acme from "acme-client";
import type { AcmeSettings } from "../settings";
import { readIfThere, writeWhole } from "./files";
import { messageOf } from "./log";
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
      throw new IssueError(await describe(error, this.settings), this.retryAfter);
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

/** The reason in words; a network failure costs one more request to learn what it was. */
async function describe(error: unknown, { directoryUrl, caPem }: AcmeSettings): Promise<string> {
  // acme-client 5.4 fails on its own error path when there was no response (src/axios.js, `validateStatus`).
  if (!(error instanceof TypeError)) return messageOf(error);
  const reason = await probe(directoryUrl, caPem);
  return `the ACME server ${directoryUrl} cannot be reached: ${reason}`;
}

function probe(url: string, ca: string | undefined): Promise<string> {
  return new Promise((resolve) => {
    const request = get(url, { ca, agent: false, timeout: REQUEST_TIMEOUT_MS }, (response) => {
      response.resume();
      resolve("it stopped answering for a moment");
    });
    request.once("timeout", () => request.destroy(new Error("no answer in time")));
    request.once("error", (error) => resolve(messageOf(error)));
  });
}
