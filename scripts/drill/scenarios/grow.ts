/** A stack that people use grows from one Droplet to several, and shrinks again. */
import { setTimeout as delay } from "node:timers/promises";
import type { Outcome, Scenario } from "../drill";
import { type Ground, STACK, type StackConfig, WEB } from "../ground";
import type { Front } from "../load";
import { type AddressRecord, resolver } from "../resolver";
import { outcomeOf, storedNotes } from "../rows";
import { startWriter } from "../writer";

const NAME = "drill.example.org";
export const TTL_SECONDS = 30;

export const SINGLE: StackConfig = {
  topology: "single-node",
  region: "fra1",
  nodes: { "manager-1": { size: "s-2vcpu-4gb" } },
  database: "container",
  domain: { name: NAME, ttlSeconds: TTL_SECONDS },
  services: { web: { ...WEB, replicas: 2 } },
};

const SWARM: StackConfig = {
  ...SINGLE,
  topology: "swarm",
  nodes: {},
  managers: { count: 3, size: "s-2vcpu-4gb" },
  workers: { count: 1, size: "s-2vcpu-2gb" },
  services: { web: { ...WEB, replicas: 4 } },
};

/** The ones that may not be replaced, as the account knows them. */
interface Kept {
  readonly droplet: number | undefined;
  readonly volumes: readonly string[];
  readonly addresses: readonly string[];
  readonly vpcs: readonly string[];
}

export const grow: Scenario = {
  name: "grow",
  action: "single-node → swarm (3 + 1, Load Balancer) → single-node, by topology: and up",
  base: SINGLE,
  front: frontOf,
  prepare: async (ground) => {
    const before = await keptOf(ground);
    const front = await frontOf(ground);
    const mark = ground.fresh();
    return async (): Promise<Outcome> => {
      const writer = startWriter(front, mark);
      const seconds: number[] = [];
      for (const config of [SWARM, SINGLE]) {
        const started = Date.now();
        await ground.mustUp(config);
        seconds.push(Math.round((Date.now() - started) / 1000));
        await expectKept(ground, before);
        await expectClosed(ground, config);
        await delay(TTL_SECONDS * 1000);
      }
      const written = await writer.stop();
      return {
        ...outcomeOf([written], [await storedNotes(ground, mark)]),
        notes: [
          `up to swarm ${seconds[0]} s, back ${seconds[1]} s, of which ${TTL_SECONDS} s each wait for the record's TTL`,
          "VPC, Volume, Reserved IP and manager-1 stayed the same; load over HTTPS, certificates not checked",
        ],
      };
    };
  },
};

export async function frontOf(ground: Ground): Promise<Front> {
  const address = resolver(() => recordOf(ground));
  return Promise.resolve({ url: `https://${NAME}/`, address, ca: "any" });
}

async function recordOf(ground: Ground): Promise<AddressRecord> {
  const { domain_records: records } = await ground.api<{
    domain_records: readonly {
      readonly type: string;
      readonly data: string;
      readonly ttl: number;
    }[];
  }>("GET", `/v2/domains/${NAME}/records?type=A`);
  const record = records.find(({ type }) => type === "A");
  if (!record) throw new Error(`${NAME} has no A record`);
  return { address: record.data, ttlSeconds: record.ttl };
}

export async function keptOf(ground: Ground): Promise<Kept> {
  const [{ droplets }, { volumes }, { reserved_ips: ips }, { vpcs }] = await Promise.all([
    ground.api<{ droplets: { id: number; name: string }[] }>("GET", "/v2/droplets?per_page=200"),
    ground.api<{ volumes: { id: string }[] }>("GET", "/v2/volumes"),
    ground.api<{ reserved_ips: { ip: string }[] }>("GET", "/v2/reserved_ips"),
    ground.api<{ vpcs: { id: string }[] }>("GET", "/v2/vpcs"),
  ]);
  return {
    droplet: droplets.find(({ name }) => name === `${STACK}-manager-1`)?.id,
    volumes: volumes.map(({ id }) => id),
    addresses: ips.map(({ ip }) => ip),
    vpcs: vpcs.map(({ id }) => id),
  };
}

/** @throws {Error} when one of them is another one now. */
export async function expectKept(ground: Ground, before: Kept): Promise<void> {
  const now = await keptOf(ground);
  if (JSON.stringify(now) === JSON.stringify(before)) return;
  throw new Error(`not all was kept: ${JSON.stringify(before)} → ${JSON.stringify(now)}`);
}

/** The old way is closed in the end: no Load Balancer is left, or no public port. */
export async function expectClosed(ground: Ground, config: StackConfig): Promise<void> {
  const { load_balancers: balancers } = await ground.api<{ load_balancers: unknown[] }>(
    "GET",
    "/v2/load_balancers",
  );
  const { firewalls } = await ground.api<{ firewalls: { name: string }[] }>("GET", "/v2/firewalls");
  const isOpen = firewalls.some(({ name }) => name.endsWith("-web"));
  const wanted =
    config.topology === "swarm" ? { balancers: 1, isOpen: false } : { balancers: 0, isOpen: true };
  if (balancers.length !== wanted.balancers || isOpen !== wanted.isOpen) {
    throw new Error(
      `both ways in are there: ${balancers.length} Load Balancers, ${JSON.stringify(firewalls)}`,
    );
  }
}
