import type { Account } from "../../infra/account";
import { NO_FLEET } from "../../infra/account-fleet";
import type { Topology } from "../../infra/config";
import { readStackFile } from "../../infra/stack-file";
import { ha } from "../../infra/topologies/ha";
import { singleNode } from "../../infra/topologies/single-node";
import { swarm } from "../../infra/topologies/swarm";
import { type Declared, record } from "./recorder";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHLRiDoDWzNP+sSXAJ2ZEPvbSkPs5x45NfZwPZVqXd5M";

/** An account where this stack has nothing yet. */
export const emptyAccount: Account = {
  sizes: [
    {
      slug: "s-2vcpu-4gb",
      memory: 4096,
      priceMonthly: 24,
      disk: 80,
      vcpus: 2,
      regions: [],
      available: true,
    },
  ],
  regions: [],
  image: undefined,
  imageSlugs: [],
  droplets: [],
  fleet: { ...NO_FLEET, email: "owner@example.com" },
  volume: undefined,
  sshKeys: [],
  reservedIp: undefined,
  zone: false,
};

const TOPOLOGIES = { "single-node": singleNode, swarm, ha };

interface Around {
  readonly env?: Record<string, string>;
  readonly account?: Account;
}

/** Everything that a stack called `app` declares. The stack file has no faults. */
export async function declare(
  topology: Topology,
  given: object,
  { env = {}, account = emptyAccount }: Around = {},
): Promise<Declared[]> {
  const root = process.cwd();
  const { config, faults } = readStackFile(
    { topology, region: "fra1", sshKeys: [KEY], ...given },
    { stack: "app", env, root },
  );
  expect(faults).toEqual([]);
  const place = { root, env, sshFrom: ["198.51.100.7/32"] };
  const build = TOPOLOGIES[topology];
  return (await record(() => build(config, account, place) as unknown)).declared;
}

/** `Droplet manager-1`. */
export const short = ({ type, name }: Declared) => `${type.split(":").pop()} ${name}`;
