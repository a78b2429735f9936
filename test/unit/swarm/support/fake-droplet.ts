/**
 * A fake node that answers what `swarm:Cluster` and `swarm:Node` ask, as a Droplet fresh from cloud-init with a Docker engine
 * does: a swarm of one.
 */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { generateKeyPair, type KeyPair } from "../../../../providers/swarm/ssh/key-pair";
import { FakeNode } from "./fake-node";
import { sshSign } from "./sshsig";

export interface FakeDropletOptions {
  /** `errors` of cloud-init's result. @default none */
  readonly cloudInitErrors?: readonly string[];
  /** What cloud-init wrote. */
  readonly cloudInitLog?: string;
}

export class FakeDroplet {
  readonly boot = generateKeyPair();
  readonly permanent = generateKeyPair();
  readonly operator: KeyPair;
  readonly operatorFile: string;
  /** The swarm node ID, once it is a member. */
  nodeId = "";
  role: "manager" | "worker" = "manager";
  availability: "active" | "pause" | "drain" = "active";
  state: "ready" | "down" = "ready";
  labels: Record<string, string> = {};
  clusterLabels: Record<string, string> = {};
  initBody: unknown;
  /** The file that shows it to be a member. */
  proof: string | undefined;
  private introduction: string | undefined;
  /** The lock of the swarm, by the labels of a config. */
  private lock: Record<string, string> | undefined;
  private version = 1;
  private readonly directory = fs.mkdtempSync(path.join(tmpdir(), "archipelago-droplet-"));
  node!: FakeNode;

  private constructor(private readonly options: FakeDropletOptions) {
    this.operator = generateKeyPair();
    this.operatorFile = path.join(this.directory, "operator");
    fs.writeFileSync(this.operatorFile, this.operator.private, { mode: 0o600 });
  }

  static async start(options: FakeDropletOptions = {}): Promise<FakeDroplet> {
    const droplet = new FakeDroplet(options);
    droplet.node = await FakeNode.start({
      hostKey: droplet.boot.private,
      authorized: [droplet.operator.public],
      run: (script) => droplet.run(script),
    });
    droplet.node.docker = (request, body) => droplet.docker(request, body);
    return droplet;
  }

  /** As `swarm:Cluster` takes them. */
  get clusterInputs() {
    return { name: "shop", tag: "archipelago-shop", first: this.first };
  }

  /** As `swarm:Node` takes them, but for what the cluster says. */
  get nodeInputs() {
    return { ...this.first, tag: "archipelago-shop", name: "node-1", role: "manager" };
  }

  /** Labels that are not there to find the node by. */
  get ownLabels(): Record<string, string> {
    return Object.fromEntries(
      Object.entries(this.labels).filter(([key]) => !key.startsWith("archipelago.")),
    );
  }

  private get first() {
    return {
      dropletId: "1",
      host: "127.0.0.1",
      port: this.node.port,
      privateIp: "10.20.0.2",
      bootHostKey: this.boot.public,
    };
  }

  /** Leaves the node as a run does that is killed once the permanent key is in place. */
  introducePermanentKey(signer: KeyPair = this.boot): void {
    this.introduction = sshSign(
      signer.private,
      "archipelago-host-key",
      `${this.permanent.public}\n`,
    );
    this.node.showHostKey(this.permanent.private);
  }

  async stop(): Promise<void> {
    await this.node.stop();
    fs.rmSync(this.directory, { recursive: true });
  }

  private run(script: string) {
    if (script.includes("/etc/ssh/archipelago-introduction'")) return file(this.introduction);
    if (script.includes("cat > /etc/ssh/archipelago-member")) {
      this.proof = /\n(\S+\n)PROOF\n/.exec(script)?.[1];
      return {};
    }
    if (script.includes("/etc/ssh/archipelago-member'")) return file(this.proof);
    if (script.includes("/run/cloud-init/result.json")) {
      return file(JSON.stringify({ v1: { errors: this.options.cloudInitErrors ?? [] } }));
    }
    if (script.includes("cat '/root/.ssh/authorized_keys'")) {
      return file(`${this.operator.public}\n`);
    }
    if (script.includes("cloud-init-output.log")) {
      return { stdout: this.options.cloudInitLog ?? "" };
    }
    if (script.includes("ssh-keygen -q -t ed25519")) {
      this.introducePermanentKey();
      return { stdout: `${this.permanent.public}\n` };
    }
    return { exitCode: 127, stderr: "the fake node knows no such script" };
  }

  private docker(request: string, body: unknown) {
    const self = {
      ID: this.nodeId,
      Version: { Index: this.version },
      Spec: { Role: this.role, Labels: this.labels, Availability: this.availability },
      Description: { Hostname: "node-1" },
      Status: { State: this.state, Addr: "10.20.0.2" },
      ...(this.role === "manager" && {
        ManagerStatus: { Leader: true, Reachability: "reachable", Addr: "10.20.0.2:2377" },
      }),
    };
    const lock = {
      ID: "lock",
      Version: { Index: this.version },
      Spec: { Name: "archipelago-lock", Labels: this.lock },
    };
    switch (request) {
      case "GET /_ping":
        return { body: "OK" };
      case "GET /info":
        return { body: this.info() };
      case "POST /swarm/init":
        this.initBody = body;
        this.clusterLabels = (body as { Spec: { Labels: Record<string, string> } }).Spec.Labels;
        this.nodeId = "node1id";
        return { body: JSON.stringify(this.nodeId) };
      case "POST /swarm/leave":
        this.nodeId = "";
        return {};
      case "GET /swarm":
        return {
          body: {
            Version: { Index: this.version },
            Spec: { Labels: this.clusterLabels },
            DefaultAddrPool: (this.initBody as { DefaultAddrPool?: string[] } | undefined)
              ?.DefaultAddrPool,
            JoinTokens: { Manager: "SWMTKN-manager", Worker: "SWMTKN-worker" },
          },
        };
      case "GET /nodes":
        return { body: [self] };
      case `GET /nodes/${this.nodeId}`:
        return { body: self };
      case `POST /nodes/${this.nodeId}/update`: {
        const spec = body as {
          Role: "manager";
          Availability: "active";
          Labels: Record<string, string>;
        };
        this.version += 1;
        this.role = spec.Role;
        this.availability = spec.Availability;
        this.labels = spec.Labels;
        return {};
      }
      case "GET /services":
      case "GET /tasks":
        return { body: [] };
      case "GET /configs":
        return { body: this.lock ? [lock] : [] };
      case "GET /configs/lock":
        return { body: lock };
      case "POST /configs/create":
      case "POST /configs/lock/update":
        this.version += 1;
        this.lock = (body as { Labels: Record<string, string> }).Labels;
        return { body: { ID: "lock" } };
      default:
        return { status: 404, body: { message: `the fake engine has no ${request}` } };
    }
  }

  private info() {
    return {
      SystemTime: new Date().toISOString(),
      Swarm: {
        NodeID: this.nodeId,
        NodeAddr: "10.20.0.2",
        LocalNodeState: this.nodeId ? "active" : "inactive",
        ControlAvailable: this.nodeId !== "" && this.role === "manager",
      },
    };
  }
}

function file(text: string | undefined) {
  return text === undefined ? { exitCode: 44 } : { stdout: text };
}
