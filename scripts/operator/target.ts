/** Finds the stack that an operator's command is about, and a way to its nodes. */
import type Docker from "dockerode";
import { nameOfSecond } from "../../infra/second-site";
import { Fault } from "../../local/fault";
import { dockerEngine } from "../../providers/swarm/docker/engine";
import { swarmEngine } from "../../providers/swarm/docker/swarm-engine";
import { connect } from "../../providers/swarm/ssh/pool";
import { readOutputs, type NodeOutput, type Outputs } from "../outputs";
import { pulumiOn } from "../stack-pulumi";

const CONNECT_TIMEOUT_SECONDS = 15;

export interface Target {
  readonly stack: string;
  readonly outputs: Outputs;
  /** Its names are in no public DNS, and its certificates of no public authority. @default false */
  readonly isLocal?: boolean;
}

/** One site of a stack: where it has a single one, all of it. */
export interface Site extends Target {
  /** What one of its nodes is called among those of all sites. */
  readonly nameOf: (node: string) => string;
}

/** The first site, and the second if there is one. */
export function sitesOf({ stack, outputs, isLocal = false }: Target): [Site, ...Site[]] {
  const first: Site = { stack, outputs, isLocal, nameOf: (node) => node };
  const { secondSite } = outputs;
  if (secondSite === undefined) return [first];
  const { nodes, loadBalancer } = secondSite;
  // The front address is the global Load Balancer's: a site is asked by its own.
  const url = loadBalancer?.address && `http://${loadBalancer.address}/`;
  const own = { ...outputs, nodes, url, secondSite: undefined };
  return [first, { stack: `${stack}, second site`, outputs: own, nameOf: nameOfSecond }];
}

/**
 * The stack of this name: the local one if there is one, unless `cloud` says otherwise.
 *
 * @throws {Fault} when there is none, or when it has no machines to talk to.
 */
export async function findTarget(stack: string, cloud: boolean): Promise<Target> {
  const { json, isLocal } = await outputsOf(stack, cloud);
  const outputs = readOutputs(json);
  if (outputs.nodes.every((node) => !node.connection)) {
    throw new Fault(
      outputs.nodes.length === 0
        ? `The stack ${stack} has no nodes: bring it up first.`
        : `The stack ${stack} has simulated machines only: not served: simulated machine.`,
    );
  }
  return { stack, outputs, isLocal };
}

async function outputsOf(
  stack: string,
  cloud: boolean,
): Promise<{ readonly json: string; readonly isLocal: boolean }> {
  const pulumi = await pulumiOn(stack, cloud);
  const { code, stdout, stderr } = await pulumi.run(["stack", "output", "--json"]);
  if (code === 0) return { json: stdout, isLocal: pulumi.isLocal };
  if (pulumi.isLocal) throw new Fault(stderr.trim());
  throw new Fault(
    `There is no local stack ${stack} (npm start -- ${stack} makes it), and Pulumi's selected backend says: ${stderr.trim()}`,
  );
}

/** The Docker engine of a node, over SSH. @throws {Error} when it cannot be reached. */
export async function engineOf(node: NodeOutput): Promise<Docker> {
  if (!node.connection) throw new Fault(`${node.name} is a simulated machine`);
  return dockerEngine(await connect(node.connection, CONNECT_TIMEOUT_SECONDS));
}

/** The engine of the first manager that answers. @throws {Fault} when none does. */
export async function managerOf({ stack, outputs }: Target): Promise<Docker> {
  const reasons: string[] = [];
  for (const node of outputs.nodes.filter(({ role }) => role === "manager")) {
    try {
      const engine = await engineOf(node);
      await engine.ping();
      return engine;
    } catch (error) {
      reasons.push(
        `${node.name} (${node.publicIp ?? node.privateIp}): ${(error as Error).message}`,
      );
    }
  }
  throw new Fault(
    `No manager of ${stack} answers:\n  ${reasons.join("\n  ")}\n` +
      "Is your address in sshFrom (run up to refresh `me`), and is the Droplet on?",
  );
}

/** The node that leads the swarm's managers, as one of them says; undefined while none does. */
export async function leaderOf(
  manager: Docker,
  nodes: readonly NodeOutput[],
): Promise<NodeOutput | undefined> {
  const members = await swarmEngine(manager).members();
  const leader = members.find((member) => member.manager?.isLeader);
  return nodes.find(({ privateIp }) => privateIp === leader?.address);
}
