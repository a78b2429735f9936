import * as pulumi from "@pulumi/pulumi";
import { allConfig } from "@pulumi/pulumi/runtime";
import { type Account, readAccount } from "./account";
import { accountFaults } from "./account-faults";
import { announcements } from "./announcements";
import { describeCost, monthlyCost } from "./cost";
import { StackFaults } from "./faults";
import { describePlan, fleetPlan } from "./fleet-plan";
import { resolveSshFrom } from "./my-address";
import { spacesKeyFaults } from "./rules/files";
import * as swarm from "../providers/swarm/sdk";
import { fromPulumi, readStackFile, withoutEchoes } from "./stack-file";
import { ha } from "./topologies/ha";
import { singleNode } from "./topologies/single-node";
import { swarm as swarmTopology } from "./topologies/swarm";

/** The Pulumi program: reads the stack file, says what is wrong or what will happen, builds the topology. */
export = async function program() {
  const { env } = process;
  const root = process.cwd();
  const all = allConfig();
  const reading = readStackFile(fromPulumi(all), { stack: pulumi.getStack(), env, root });
  const { config } = reading;

  const tokenFaults = missingToken(env, all["digitalocean:token"]);
  const [account, ssh, login] = await Promise.all([
    tokenFaults.length > 0 ? undefined : tolerant(readAccount(config), reading.faults.length > 0),
    resolveSshFrom(config, env),
    config.machines === "real" ? swarm.loginProblem() : undefined,
  ]);
  const later = [
    ...tokenFaults,
    ...spacesKeyFaults(config, env, all),
    ...ssh.faults,
    ...loginFaults(login),
    ...(account ? accountFaults(config, account) : []),
  ];
  const faults = withoutEchoes(reading.faults, later);
  if (account === undefined || faults.length > 0) throw new StackFaults(config.stack, faults);

  for (const line of announcements(config, account)) void pulumi.log.warn(line);
  if (config.topology !== "single-node") {
    void pulumi.log.info(describePlan(fleetPlan(config, account), account));
  }
  void pulumi.log.info(describeCost(monthlyCost(config, account)));
  const topology = { "single-node": singleNode, swarm: swarmTopology, ha }[config.topology];
  return topology(config, account, { root, sshFrom: ssh.cidrs, env });
};

function missingToken(env: NodeJS.ProcessEnv, configured: string | undefined) {
  if (env.DIGITALOCEAN_TOKEN ?? env.DIGITALOCEAN_ACCESS_TOKEN ?? configured) return [];
  const remedy = "make one at https://cloud.digitalocean.com/account/api/tokens";
  return [{ path: "DIGITALOCEAN_TOKEN", rule: "must hold a DigitalOcean API token", remedy }];
}

/** Without a login `up` would stop at the first node, with its Droplet made. A preview logs in nowhere. */
function loginFaults(problem: string | undefined) {
  if (problem === undefined) return [];
  if (!pulumi.runtime.isDryRun()) return [{ path: "SSH login:", rule: problem }];
  void pulumi.log.warn(`\`up\` from here would stop: ${problem}`);
  return [];
}

/** The API's own trouble is not worth hiding faults of the stack file that are known already. */
async function tolerant(account: Promise<Account>, faultsKnown: boolean) {
  return faultsKnown ? account.catch(() => undefined) : account;
}
