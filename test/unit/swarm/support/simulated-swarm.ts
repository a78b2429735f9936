/**
 * A swarm as Docker's documentation and swarmkit's code say that it behaves, as far as its membership and the number of
 * tasks go. It keeps account of what our own actions took away: a quorum, or tasks that served. What machines lose by dying is
 * not held against us.
 */
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import type {
  Member,
  NodeTask,
  Note,
  Role,
  Service,
  SwarmEngine,
  SwarmInfo,
} from "../../../../providers/swarm/swarm/engine";
import { VirtualClock } from "./virtual-clock";

/** Swarm misses a node after three heartbeats of 5 s; managers miss each other sooner. */
const MISSED_SECONDS = 15;

/** A leader that hears from too few managers goes on for so long. */
const STEP_DOWN_SECONDS = 10;

export interface ServicePlan {
  readonly name: string;
  readonly replicas: number;
  /** Seconds until a task serves. @default 2 */
  readonly startSeconds?: number;
  /** Built on the nodes, so that a task starts only where somebody put it. @default one that a registry has */
  readonly image?: string;
  /** Name of the only node that it may run on. */
  readonly boundTo?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** A Droplet. */
export class Machine {
  isAlive = true;
  /** It answers us, and the other nodes do not hear of it. */
  isCutOff = false;
  /** What its own engine believes to be. */
  nodeId = "";
  diedAt = 0;
  /** How long it takes from its join until it does its part. Docker waits for 20 s. */
  joinSeconds = 0;
  joinedAt = 0;
  /** Commands that were run in containers on it. */
  readonly commands: string[] = [];
  /** Images that were built on it or brought to it. */
  readonly images = new Set<string>();

  constructor(
    readonly name: string,
    readonly dropletId: string,
    readonly privateIp: string,
  ) {}
}

interface Entry {
  readonly id: string;
  readonly machine: Machine;
  version: number;
  role: Role;
  availability: "active" | "pause" | "drain";
  labels: Readonly<Record<string, string>>;
  /** Counts for the quorum. */
  isManager: boolean;
  /** As far as the managers have heard. */
  isReady: boolean;
  missedSince: number | undefined;
}

interface Task {
  readonly id: string;
  readonly service: SimulatedService;
  entry: Entry | undefined;
  isWanted: boolean;
  state: "pending" | "starting" | "running" | "shutdown";
  since: number;
}

interface SimulatedService {
  readonly plan: ServicePlan;
  version: number;
  replicas: number;
  labels: Readonly<Record<string, string>>;
  /** As many tasks as must serve, whatever we do: those it should have, less what has died. */
  expected: number;
}

/** A process that may be killed in the middle of its work. */
export class SimulatedProcess {
  readonly aborted = new AbortController();
  private calls = 0;

  /** @param diesAt number of the call to Docker that it is killed at, half of the time after the call was obeyed. */
  constructor(readonly diesAt = Infinity) {}

  call<T>(work: () => T): T {
    this.aborted.signal.throwIfAborted();
    this.calls += 1;
    if (this.calls < this.diesAt) return work();
    this.aborted.abort(new Error("killed"));
    if (this.diesAt % 2 === 0) work();
    throw this.aborted.signal.reason as Error;
  }
}

export class SimulatedSwarm {
  readonly clock = new VirtualClock(() => this.tick());
  /** What must never happen by our own action. */
  readonly violations: string[] = [];
  private entries: Entry[] = [];
  private tasks: Task[] = [];
  private services: SimulatedService[] = [];
  private readonly notes = new Map<string, { note: Note }>();
  private readonly clusterLabels: Record<string, string> = {};
  private made = 0;
  private leaderUntil = 0;
  tokensRotated = 0;
  tokensRead = 0;

  /** Starts services, and waits until they serve. */
  async deploy(plans: readonly ServicePlan[]): Promise<void> {
    this.services = plans.map((plan) => ({
      plan,
      version: 1,
      replicas: plan.replicas,
      labels: plan.labels ?? {},
      expected: 0,
    }));
    for (const { machine } of this.entries) this.build(machine);
    await this.clock.sleep(30_000);
  }

  /** Builds every service's image on a machine. */
  build(machine: Machine): void {
    for (const { plan } of this.services) if (plan.image) machine.images.add(plan.image);
  }

  /** What the nodes' list says, by name. */
  get members(): Record<string, { role: Role; dropletId: string; availability: string }> {
    return Object.fromEntries(
      this.entries.map(({ machine, role, availability }) => [
        machine.name,
        { role, dropletId: machine.dropletId, availability },
      ]),
    );
  }

  get labelsOfServices(): Record<string, Readonly<Record<string, string>>> {
    return Object.fromEntries(this.services.map(({ plan, labels }) => [plan.name, labels]));
  }

  get leaving(): string[] {
    return this.entries.flatMap(({ machine, labels }) =>
      "archipelago.leaving" in labels ? [machine.name] : [],
    );
  }

  replicasOf(name: string): number {
    return this.services.find(({ plan }) => plan.name === name)?.replicas ?? 0;
  }

  servingOf(name: string): number {
    return this.serving(this.services.find(({ plan }) => plan.name === name));
  }

  /** A run begins: what serves now, up to the replicas asked for, is to serve throughout. */
  expectAllThatServes(): void {
    for (const service of this.services) {
      service.expected = Math.min(service.plan.replicas, this.serving(service));
    }
  }

  crash(machine: Machine): void {
    machine.isAlive = false;
    machine.diedAt = this.clock.now();
    for (const service of this.services) {
      service.expected = Math.min(service.expected, this.serving(service));
    }
  }

  /** Whether the managers keep their quorum when this machine dies. */
  survivesWithout(machine: Machine): boolean {
    const managers = this.entries.filter(({ isManager }) => isManager);
    const alive = managers.filter((entry) => entry.machine !== machine && this.isHeard(entry));
    return alive.length > managers.length / 2;
  }

  restart(machine: Machine): void {
    machine.isAlive = true;
    for (const task of this.tasks) if (task.entry?.machine === machine) stop(task);
  }

  /** A hand at work beside us: `docker node update`. */
  byHand(name: string, change: { role?: Role; availability?: "active" | "pause" | "drain" }): void {
    const entry = this.entries.find(({ machine }) => machine.name === name);
    if (entry) Object.assign(entry, change, { version: entry.version + 1 });
    this.reconcile();
    for (const service of this.services) service.expected = 0;
  }

  hasQuorum(): boolean {
    const managers = this.entries.filter(({ isManager }) => isManager);
    return managers.filter((entry) => this.isHeard(entry)).length > managers.length / 2;
  }

  private hasLeader(): boolean {
    return this.hasQuorum() || this.clock.now() < this.leaderUntil;
  }

  /** A manager that answers. */
  manager(process: SimulatedProcess, except?: string): SwarmEngine {
    const found = this.entries.find(
      (entry) => entry.id !== except && entry.isManager && this.isHeard(entry),
    );
    if (!found || !this.hasLeader()) throw new Error("no living manager answers");
    return this.engine(found.machine, process);
  }

  machineOf(nodeId: string): Machine | undefined {
    return this.entries.find(({ id }) => id === nodeId)?.machine;
  }

  engine(machine: Machine, process: SimulatedProcess): SwarmEngine {
    const ask = async <T>(work: () => T): Promise<T> => {
      await Promise.resolve();
      return process.call(() => {
        if (!machine.isAlive) throw new Error(`connection to ${machine.name} was lost`);
        return work();
      });
    };
    const manage = <T>(what: string, work: () => T): Promise<T> =>
      ask(() => {
        const entry = this.entryOf(machine);
        if (!entry?.isManager) throw docker(503, `${machine.name} is not a manager`);
        if (!this.hasLeader()) throw docker(500, "The swarm does not have a leader");
        return this.own(what, work);
      });
    return {
      info: () => ask(() => this.info(machine)),
      init: ({ labels }) =>
        ask(() => {
          Object.assign(this.clusterLabels, labels);
          this.add(machine, "manager");
        }),
      join: ({ token }) =>
        ask(() => {
          const [role, rotation] = token.split(" ") as [Role, string];
          if (Number(rotation) !== this.tokensRotated) throw docker(500, "invalid join token");
          if (machine.joinSeconds === 0) {
            this.own(`${machine.name} joins`, () => this.add(machine, role));
            return;
          }
          // A second manager counts as soon as it was asked: until it does its part there is no quorum, whoever joins it.
          this.add(machine, role);
          this.leaderUntil = this.clock.now() + STEP_DOWN_SECONDS * 1000;
          throw docker(500, "Timeout was reached before node joined");
        }),
      leave: ({ force }) =>
        ask(() => {
          const entry = this.entryOf(machine);
          if (entry?.isManager && !force)
            throw docker(503, "You are attempting to leave as a manager");
          this.own(`${machine.name} leaves`, () => {
            machine.nodeId = "";
            for (const task of this.tasks) if (task.entry?.machine === machine) stop(task);
          });
        }),
      exec: (_container, command) => ask(() => (machine.commands.push(command.join(" ")), 0)),
      hasImage: (reference) => ask(() => machine.images.has(reference)),
      saveImage: (reference) => ask(() => Readable.from([reference])),
      loadImage: async (archive) => {
        const reference = await text(archive);
        await ask(() => machine.images.add(reference));
      },
      swarmLabels: () => manage("labels", () => this.clusterLabels),
      addressPool: () => manage("pool", () => []),
      joinToken: (role) =>
        manage("token", () => {
          this.tokensRead += 1;
          return `${role} ${this.tokensRotated}`;
        }),
      rotateJoinTokens: () => manage("rotate", () => void (this.tokensRotated += 1)),
      members: () => manage("members", () => this.entries.map(toMember)),
      updateMember: ({ id, version }, change) =>
        manage(`${this.machineOf(id)?.name} becomes ${JSON.stringify(change)}`, () => {
          const entry = this.entries.find((each) => each.id === id);
          if (!entry) throw docker(404, "no such node");
          if (entry.version !== version) throw docker(500, "update out of sequence");
          Object.assign(entry, change, { version: version + 1 });
          if (change.role === "worker") entry.isManager = false;
          this.reconcile();
        }),
      removeMember: (id) =>
        manage("remove", () => {
          const entry = this.entries.find((each) => each.id === id);
          if (!entry) throw docker(404, "no such node");
          if (entry.isManager) throw docker(400, "it must be demoted to worker before removal");
          this.entries = this.entries.filter((each) => each !== entry);
          for (const task of this.tasks) if (task.entry === entry) stop(task);
        }),
      services: () => manage("services", () => this.services.map(toService)),
      updateService: ({ name, version }, { replicas, labels }) =>
        manage(`${name} gets ${replicas} replicas`, () => {
          const service = this.services.find(({ plan }) => plan.name === name);
          if (!service) throw docker(404, "no such service");
          if (service.version !== version) throw docker(500, "update out of sequence");
          Object.assign(service, { replicas, labels, version: version + 1 });
          this.reconcile();
        }),
      tasks: () => manage("tasks", () => this.tasks.map((task) => this.toTask(task))),
      note: (name) => manage("note", () => this.notes.get(name)?.note),
      createNote: (name, labels) =>
        manage("note", () => {
          if (this.notes.has(name)) throw docker(409, "name conflicts with an existing object");
          this.notes.set(name, { note: { id: name, version: 1, labels } });
        }),
      updateNote: ({ id, version }, labels) =>
        manage("note", () => {
          const held = this.notes.get(id);
          if (held?.note.version !== version) throw docker(500, "update out of sequence");
          held.note = { id, version: version + 1, labels };
        }),
    };
  }

  /** What we do must cost neither the quorum nor tasks that serve. */
  private own<T>(what: string, work: () => T): T {
    const before = this.hasQuorum() || this.entries.length === 0;
    const result = work();
    const fresh = this.entries.some(
      ({ isManager, isReady, machine }) => isManager && isReady && !machine.isAlive,
    );
    // Nobody can know yet of a manager that died this moment.
    if (before && !this.hasQuorum() && !fresh) this.violations.push(`${what}: the quorum is lost`);
    for (const service of this.services) {
      const { plan, expected } = service;
      const serving = this.serving(service);
      if (plan.labels?.["archipelago.singleton"] === "true") {
        if (serving > 1) this.violations.push(`${what}: ${plan.name} runs twice`);
      } else if (plan.boundTo === undefined && serving < expected) {
        this.violations.push(`${what}: ${serving} of ${expected} tasks of ${plan.name} serve`);
        service.expected = serving;
      }
    }
    return result;
  }

  private isHeard({ id, machine }: Entry): boolean {
    const hasJoined = this.clock.now() >= machine.joinedAt;
    return machine.isAlive && !machine.isCutOff && machine.nodeId === id && hasJoined;
  }

  private serving(service: SimulatedService | undefined): number {
    return this.tasks.filter(
      (task) => task.service === service && task.state === "running" && task.entry?.machine.isAlive,
    ).length;
  }

  private entryOf(machine: Machine): Entry | undefined {
    return this.entries.find(({ id }) => id === machine.nodeId);
  }

  private info(machine: Machine): SwarmInfo {
    const entry = this.entryOf(machine);
    return {
      nodeId: machine.nodeId,
      state: this.stateOf(machine, entry),
      isManager: entry?.isManager ?? false,
      error: entry?.isManager && !this.hasQuorum() ? "The swarm does not have a leader" : "",
      remoteManagers: [],
    };
  }

  private stateOf({ nodeId, joinedAt }: Machine, entry: Entry | undefined): SwarmInfo["state"] {
    if (nodeId === "") return "inactive";
    // The managers have forgotten it, and it does not know why they do not talk to it.
    if (!entry) return "error";
    return this.clock.now() < joinedAt ? "pending" : "active";
  }

  private add(machine: Machine, role: Role): void {
    this.made += 1;
    machine.nodeId = `node-${this.made}`;
    machine.joinedAt = this.clock.now() + machine.joinSeconds * 1000;
    this.entries.push({
      id: machine.nodeId,
      machine,
      version: 1,
      role,
      availability: "active",
      labels: {},
      isManager: role === "manager",
      isReady: false,
      missedSince: undefined,
    });
  }

  private tick(): void {
    const now = this.clock.now();
    for (const entry of this.entries) {
      const answers = this.isHeard(entry);
      entry.missedSince = answers ? undefined : (entry.missedSince ?? now);
      entry.isReady = answers || now - (entry.missedSince ?? now) < MISSED_SECONDS * 1000;
    }
    if (!this.hasQuorum()) return;
    for (const entry of this.entries) {
      if (entry.isReady || entry.role === "worker") entry.isManager = entry.role === "manager";
    }
    this.reconcile();
    for (const task of this.tasks) {
      const { startSeconds = 2, image } = task.service.plan;
      if (task.state !== "starting" || !task.entry?.machine.isAlive) continue;
      if (image !== undefined && !task.entry.machine.images.has(image)) continue;
      if (now - task.since >= startSeconds * 1000)
        Object.assign(task, { state: "running", since: now });
    }
  }

  /** Swarmkit's orchestrator and scheduler. */
  private reconcile(): void {
    for (const task of this.tasks) {
      const { entry } = task;
      const mayStay = !entry || (this.entries.includes(entry) && entry.isReady);
      if (task.isWanted && (!mayStay || entry?.availability === "drain")) stop(task);
    }
    this.tasks = this.tasks.filter(({ state }) => state !== "shutdown");
    for (const service of this.services) {
      const mine = this.tasks.filter((task) => task.service === service && task.isWanted);
      for (let count = mine.length; count < service.replicas; count++) {
        this.made += 1;
        const since = this.clock.now();
        const id = `task-${this.made}`;
        this.tasks.push({ id, service, entry: undefined, isWanted: true, state: "pending", since });
      }
      // Those that do not run go first; which of the others, we cannot know.
      const order = { pending: 0, starting: 1, running: 2, shutdown: 0 };
      const victims = mine.sort((a, b) => order[a.state] - order[b.state]);
      for (const task of victims.slice(0, Math.max(0, mine.length - service.replicas))) stop(task);
    }
    this.tasks = this.tasks.filter(({ state }) => state !== "shutdown");
    for (const task of this.tasks) if (task.state === "pending") this.place(task);
  }

  private place(task: Task): void {
    const { boundTo } = task.service.plan;
    const loadOf = (entry: Entry) =>
      this.tasks.filter((other) => other.entry === entry && other.service === task.service).length;
    const [best] = this.entries
      .filter(({ isReady, availability }) => isReady && availability === "active")
      .filter(({ machine }) => boundTo === undefined || machine.name === boundTo)
      .sort((a, b) => loadOf(a) - loadOf(b));
    if (best) Object.assign(task, { entry: best, state: "starting", since: this.clock.now() });
  }

  private toTask({ id, service, entry, isWanted, state, since }: Task): NodeTask {
    return {
      id,
      serviceId: service.plan.name,
      nodeId: entry?.id ?? "",
      isWanted,
      state,
      error: state === "pending" ? "no suitable node" : "",
      forMs: this.clock.now() - since,
      containerId: `container-${id}`,
    };
  }
}

function stop(task: Task): void {
  Object.assign(task, { isWanted: false, state: "shutdown" });
}

function toMember(entry: Entry): Member {
  const { id, version, role, availability, labels, machine, isManager, isReady } = entry;
  return {
    id,
    version,
    role,
    availability,
    labels,
    hostname: machine.name,
    isReady,
    state: isReady ? "ready" : "down",
    address: machine.privateIp,
    ...(isManager && { manager: { isReachable: isReady, isLeader: false } }),
  };
}

function toService({ plan, version, replicas, labels }: SimulatedService): Service {
  return {
    id: plan.name,
    name: plan.name,
    version,
    labels,
    image: plan.image ?? "registry/app@sha256:1",
    mode: "replicated",
    replicas,
    hasHealthCheck: true,
    isBound: plan.boundTo !== undefined,
    isUpdating: false,
  };
}

/** As Docker refuses. */
function docker(statusCode: number, message: string): Error {
  return Object.assign(new Error(message), { statusCode });
}
