/** A program's nodes and the runs that bring them about, as the Pulumi engine does it: all creates, then all deletes. */
import { bringImages } from "../../../../providers/swarm/node/images";
import { leaveAsNamed } from "../../../../providers/swarm/node/leave";
import { takePlace } from "../../../../providers/swarm/node/take-place";
import type { Context } from "../../../../providers/swarm/protocol/resource";
import type { Role } from "../../../../providers/swarm/swarm/engine";
import { withLock } from "../../../../providers/swarm/swarm/lock";
import { CLUSTER_LABEL, Swarm, type Reach } from "../../../../providers/swarm/swarm/swarm";
import { Machine, SimulatedProcess, type SimulatedSwarm } from "./simulated-swarm";

export type Wanted = Readonly<Record<string, Role>>;

/** A node in the state. */
interface Known {
  /** Its Droplet: a new one is in the state before its node has joined. */
  machine: Machine;
  /** Empty until it has joined. */
  nodeId: string;
}

export class Program {
  readonly state = new Map<string, Known>();
  readonly lines: string[] = [];
  /** How long machines that are still to be made take to join, by name of their node. @default 0 */
  joinSeconds: Readonly<Record<string, number>> = {};
  private runs = 0;
  private droplets = 0;

  constructor(readonly swarm: SimulatedSwarm) {}

  /** Starts the swarm, on a machine of its own that is then the first manager. */
  async start(wanted: Wanted): Promise<void> {
    const [name = ""] = Object.keys(wanted);
    const machine = this.droplet(name);
    await this.swarm
      .engine(machine, new SimulatedProcess())
      .init({ privateIp: "", labels: { [CLUSTER_LABEL]: "shop" }, defaultAddrPool: undefined });
    this.state.set(name, { machine, nodeId: "" });
    await this.up(wanted);
  }

  machine(name: string): Machine {
    const known = this.state.get(name);
    if (!known) throw new Error(`there is no ${name}`);
    return known.machine;
  }

  /**
   * Brings the swarm to what is wanted; nodes that are `replaced` get other machines.
   *
   * @throws {Error} of the first node that failed, once all have ended, as `pulumi up` does.
   */
  async up(wanted: Wanted, replaced: readonly string[] = [], diesAt?: number): Promise<void> {
    const process = new SimulatedProcess(diesAt);
    const swarm = this.newProcess(process);
    const context = this.context(process);
    this.swarm.expectAllThatServes();
    const names = Object.keys(wanted);
    swarm.joinsAhead = names.length;
    const joins = names.map(async (name) => {
      const { machine } = this.dropletOf(name, replaced.includes(name));
      const engine = this.swarm.engine(machine, process);
      await bringImages(swarm, name, engine, context);
      const nodeId = await withLock(swarm, `${name} joins`, context, (held) =>
        takePlace(
          swarm,
          engine,
          standingOf(machine, wanted[name] ?? "worker"),
          held,
          () => (swarm.joinsAhead -= 1),
        ),
      );
      this.state.set(name, { machine, nodeId });
    });
    await allOf(joins);
    // Images are resources of their own, which wait for their nodes.
    for (const { machine } of this.state.values()) this.swarm.build(machine);
    const leaves = [...this.state].filter(([name]) => !(name in wanted));
    await allOf(
      leaves.map(async ([name, { nodeId }]) => {
        await leaveAsNamed(swarm, name, nodeId, 30, context);
        this.state.delete(name);
      }),
    );
  }

  /** Takes one node out, as a destroy that is aimed at it does. */
  async leave(name: string, diesAt?: number): Promise<void> {
    const process = new SimulatedProcess(diesAt);
    this.swarm.expectAllThatServes();
    const { nodeId = "" } = this.state.get(name) ?? {};
    await leaveAsNamed(this.newProcess(process), name, nodeId, 30, this.context(process));
    this.state.delete(name);
  }

  private dropletOf(name: string, isReplaced: boolean): Known {
    const known = this.state.get(name);
    if (known && !isReplaced) return known;
    const fresh = { machine: this.droplet(name), nodeId: known?.nodeId ?? "" };
    this.state.set(name, fresh);
    return fresh;
  }

  private newProcess(process: SimulatedProcess): Swarm {
    this.runs += 1;
    const reach: Reach = {
      manager: (_context, except) =>
        Promise.resolve().then(() => this.swarm.manager(process, except)),
      machine: (member) => {
        const machine = this.swarm.machineOf(member.id);
        const answers = machine?.isAlive && [member.id, ""].includes(machine.nodeId);
        return Promise.resolve(answers ? this.swarm.engine(machine, process) : undefined);
      },
    };
    return new Swarm("shop", `run-${this.runs}`, reach);
  }

  private context(process: SimulatedProcess): Context {
    const tell = (message: string) => void this.lines.push(message);
    return {
      name: "node",
      urn: "",
      log: { status: () => undefined, info: tell, warn: tell },
      signal: process.aborted.signal,
      clock: this.swarm.clock,
    };
  }

  private droplet(name: string): Machine {
    this.droplets += 1;
    const machine = new Machine(name, String(this.droplets), `10.20.0.${this.droplets + 1}`);
    machine.joinSeconds = this.joinSeconds[name] ?? 0;
    return machine;
  }
}

function standingOf({ name, dropletId, privateIp }: Machine, role: Role) {
  return {
    name,
    dropletId,
    role,
    privateIp,
    connection: { host: privateIp, hostKey: `key of ${dropletId}` },
    labels: {},
    labelsBefore: {},
    availability: "active" as const,
  };
}

/** Waits for all of them. @throws the first failure. */
async function allOf(work: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(work);
  for (const result of results) if (result.status === "rejected") throw result.reason;
}
