/** A fake node that answers what `swarm:Node` asks, as a Droplet fresh from cloud-init with a Docker engine does. */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { FakeNode, keyPair, type KeyPair } from "./fake-node";
import { sshSign } from "./sshsig";

export interface FakeDropletOptions {
  /** `errors` of cloud-init's result. @default none */
  readonly cloudInitErrors?: readonly string[];
  /** What cloud-init wrote. */
  readonly cloudInitLog?: string;
}

export class FakeDroplet {
  readonly boot = keyPair();
  readonly permanent = keyPair();
  readonly operator: KeyPair;
  readonly operatorFile: string;
  /** The swarm node ID, once it is a member. */
  nodeId = "";
  role: "manager" | "worker" = "manager";
  labels: Record<string, string> = {};
  clusterLabels: Record<string, string> = {};
  initBody: unknown;
  private introduction: string | undefined;
  private version = 1;
  private readonly directory = fs.mkdtempSync(path.join(tmpdir(), "archipelago-droplet-"));
  node!: FakeNode;

  private constructor(private readonly options: FakeDropletOptions) {
    this.operator = keyPair();
    this.operatorFile = path.join(this.directory, "operator");
    fs.writeFileSync(this.operatorFile, this.operator.private);
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

  /** As `swarm:Node` takes them. */
  get inputs() {
    return {
      cluster: "shop-1",
      name: "node-1",
      role: "manager",
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
    if (script.includes("/run/cloud-init/result.json")) {
      return file(JSON.stringify({ v1: { errors: this.options.cloudInitErrors ?? [] } }));
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
      Spec: { Role: this.role, Labels: this.labels, Availability: "active" },
      Status: { State: "ready", Addr: "10.20.0.2" },
    };
    switch (request) {
      case "GET /_ping":
        return { body: "OK" };
      case "GET /info":
        return {
          body: {
            Swarm: {
              NodeID: this.nodeId,
              NodeAddr: "10.20.0.2",
              LocalNodeState: this.nodeId ? "active" : "inactive",
              ControlAvailable: this.nodeId !== "" && this.role === "manager",
              Managers: 1,
              Nodes: 1,
            },
          },
        };
      case "POST /swarm/init":
        this.initBody = body;
        this.clusterLabels = (body as { Spec: { Labels: Record<string, string> } }).Spec.Labels;
        this.nodeId = "node1id";
        return { body: JSON.stringify(this.nodeId) };
      case "POST /swarm/leave":
        this.nodeId = "";
        return {};
      case "GET /swarm":
        return { body: { Spec: { Labels: this.clusterLabels } } };
      case `GET /nodes/${this.nodeId}`:
        return { body: self };
      case `POST /nodes/${this.nodeId}/update`: {
        const spec = body as { Role: "manager"; Labels: Record<string, string> };
        this.version += 1;
        this.role = spec.Role;
        this.labels = spec.Labels;
        return {};
      }
      default:
        return { status: 404, body: { message: `the fake engine has no ${request}` } };
    }
  }
}

function file(text: string | undefined) {
  return text === undefined ? { exitCode: 44 } : { stdout: text };
}
