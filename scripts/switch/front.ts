/** The Reserved IPs of two stacks, which change places: the front address leads to the other stack from one moment to the next. */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { Fault } from "../../local/fault";
import { ask } from "../../providers/http";
import type { Api } from "../stack-state";

const reservedIp = z.looseObject({
  ip: z.string(),
  region: z.looseObject({ slug: z.string() }),
  droplet: z.looseObject({ id: z.number() }).nullish(),
  /** An action of it is under way. */
  locked: z.boolean().default(false),
});

const action = z.looseObject({ id: z.number(), status: z.string() });

/** A stack's Reserved IP, and the Droplet that it belongs to. */
export interface Front {
  readonly ip: string;
  readonly dropletId: number;
}

export interface ReservedIp {
  readonly region: string;
  /** Absent while it leads nowhere. */
  readonly dropletId: number | undefined;
}

const ACTION_TIMEOUT_SECONDS = 120;
const POLL_MS = 200;

/** As it is once no action of it is under way. @throws {Fault} when the account has no such address. */
export async function readReservedIp(api: Api, ip: string): Promise<ReservedIp> {
  const deadline = Date.now() + ACTION_TIMEOUT_SECONDS * 1000;
  for (;;) {
    const answer = await call(api, "GET", `reserved_ips/${ip}`);
    const { reserved_ip: found } = z.object({ reserved_ip: reservedIp }).parse(answer);
    if (!found.locked) return { region: found.region.slug, dropletId: found.droplet?.id };
    if (Date.now() > deadline) {
      throw new Fault(`An action of Reserved IP ${ip} does not end. Run the command again.`);
    }
    await delay(POLL_MS);
  }
}

/** @throws {Fault} when no Reserved IP leads to the Droplet. */
export async function addressOf(api: Api, dropletId: number): Promise<string> {
  const answer = await call(api, "GET", "reserved_ips?per_page=200");
  const { reserved_ips: all } = z.object({ reserved_ips: z.array(reservedIp) }).parse(answer);
  const found = all.find(({ droplet }) => droplet?.id === dropletId);
  if (found) return found.ip;
  throw new Fault(`No Reserved IP leads to Droplet ${dropletId}: run the command again.`);
}

/**
 * Has each address lead to the other's Droplet. A Droplet has one Reserved IP at most, so `to`'s steps aside first. Each step is
 * left out when it was done before: what was killed in the middle is ended by another call.
 */
export async function exchange(api: Api, from: Front, to: Front): Promise<void> {
  const leadsTo = async (ip: string) => (await readReservedIp(api, ip)).dropletId;
  if ((await leadsTo(from.ip)) !== to.dropletId) {
    if ((await leadsTo(to.ip)) === to.dropletId) await act(api, to.ip, { type: "unassign" });
    await act(api, from.ip, { type: "assign", droplet_id: to.dropletId });
  }
  if ((await leadsTo(to.ip)) !== from.dropletId) {
    await act(api, to.ip, { type: "assign", droplet_id: from.dropletId });
  }
}

/** Begins an action of an address, and waits for its end. */
async function act(api: Api, ip: string, body: Readonly<Record<string, unknown>>): Promise<void> {
  const path = `reserved_ips/${ip}/actions`;
  const read = (answer: unknown) => z.object({ action }).parse(answer).action;
  let { id, status } = read(await call(api, "POST", path, body));
  const deadline = Date.now() + ACTION_TIMEOUT_SECONDS * 1000;
  while (status === "in-progress") {
    if (Date.now() > deadline) {
      throw new Fault(
        `Reserved IP ${ip}: ${String(body.type)} took over ${ACTION_TIMEOUT_SECONDS} s. Run the command again.`,
      );
    }
    await delay(POLL_MS);
    ({ id, status } = read(await call(api, "GET", `${path}/${id}`)));
  }
  if (status !== "completed") {
    throw new Fault(`Reserved IP ${ip}: ${String(body.type)} failed. Run the command again.`);
  }
}

async function call(
  { url, token }: Api,
  method: string,
  path: string,
  body?: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  const answer = await ask(`${url}/v2/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body && { body: JSON.stringify(body) }),
  });
  if (answer.status < 300) return JSON.parse(answer.body);
  throw new Fault(
    `DigitalOcean answered ${answer.status} to ${method} /v2/${path}: ${answer.body}`,
  );
}
