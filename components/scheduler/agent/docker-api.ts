import * as http from "node:http";
import { z } from "zod";

/** A run of a job, as swarm knows it: a service that does its work once. */
export interface Run {
  readonly id: string;
  readonly job: string;
  /** When it was due. */
  readonly due: Date;
  readonly state: "running" | "complete" | "failed";
  /** Why it failed. */
  readonly error?: string;
}

/** What the scheduler asks of a swarm. */
export interface Swarm {
  runs(): Promise<Run[]>;
  /** @returns false when this run has been started already. */
  start(job: string, due: Date, task: object): Promise<boolean>;
  lastLines(run: Run): Promise<string[]>;
  remove(run: Run): Promise<void>;
  /** When each job was due last and was started. */
  started(): Promise<ReadonlyMap<string, Date>>;
  /** Remembers it, for a scheduler on another node too. */
  remember(job: string, due: Date): Promise<void>;
}

const RUN_LABEL = "archipelago.scheduled";
const RECORD_LABEL = "archipelago.ran";
const DUE_LABEL = "archipelago.due";
const LOG_LINES = 20;

const services = z.array(
  z.object({ ID: z.string(), Spec: z.object({ Labels: z.record(z.string(), z.string()) }) }),
);
const tasks = z.array(
  z.object({
    CreatedAt: z.string(),
    Status: z.object({ State: z.string(), Err: z.string().optional() }),
  }),
);
const configs = services;

/** Docker's API on the socket of a manager. */
export class DockerSwarm implements Swarm {
  constructor(
    private readonly socketPath: string,
    private readonly registryAuth: string | undefined,
  ) {}

  async runs(): Promise<Run[]> {
    const found = services.parse(await this.json("GET", list("services", RUN_LABEL)));
    return Promise.all(
      found.map(async ({ ID, Spec: { Labels } }) => {
        const filters = encodeURIComponent(JSON.stringify({ service: [ID] }));
        const all = tasks.parse(await this.json("GET", `/tasks?filters=${filters}`));
        const [task] = all.sort((a, b) => b.CreatedAt.localeCompare(a.CreatedAt));
        return {
          id: ID,
          job: Labels[RUN_LABEL] ?? "",
          due: new Date(Labels[DUE_LABEL] ?? 0),
          state: stateOf(task?.Status.State ?? "new"),
          ...(task?.Status.Err && { error: task.Status.Err }),
        };
      }),
    );
  }

  async start(job: string, due: Date, task: object): Promise<boolean> {
    const spec = {
      Name: `${job}-${stamp(due)}`,
      Labels: { [RUN_LABEL]: job, [DUE_LABEL]: due.toISOString() },
      TaskTemplate: task,
      Mode: { ReplicatedJob: { MaxConcurrent: 1, TotalCompletions: 1 } },
    };
    const { status } = await this.ask("POST", "/services/create", [201, 409], spec);
    return status === 201;
  }

  async lastLines({ id }: Run): Promise<string[]> {
    const path = `/services/${id}/logs?stdout=1&stderr=1&tail=${LOG_LINES}`;
    return lines((await this.ask("GET", path, [200])).body);
  }

  async remove({ id }: Run): Promise<void> {
    await this.ask("DELETE", `/services/${id}`, [200, 404]);
  }

  async started(): Promise<ReadonlyMap<string, Date>> {
    const last = new Map<string, Date>();
    for (const { job, due } of await this.records()) {
      if (due > (last.get(job) ?? new Date(0))) last.set(job, due);
    }
    return last;
  }

  async remember(job: string, due: Date): Promise<void> {
    const older = (await this.records()).filter((record) => record.job === job);
    if (older.some((record) => record.due >= due)) return;
    const record = {
      Name: `ran-${job}-${stamp(due)}`,
      Labels: { [RECORD_LABEL]: job, [DUE_LABEL]: due.toISOString() },
      Data: Buffer.from(due.toISOString()).toString("base64"),
    };
    await this.ask("POST", "/configs/create", [201, 409], record);
    for (const { id } of older) await this.ask("DELETE", `/configs/${id}`, [204, 404]);
  }

  private async records() {
    const found = configs.parse(await this.json("GET", list("configs", RECORD_LABEL)));
    return found.map(({ ID, Spec: { Labels } }) => ({
      id: ID,
      job: Labels[RECORD_LABEL] ?? "",
      due: new Date(Labels[DUE_LABEL] ?? 0),
    }));
  }

  private async json(method: string, path: string): Promise<unknown> {
    return JSON.parse((await this.ask(method, path, [200])).body.toString());
  }

  private ask(
    method: string,
    path: string,
    expected: readonly number[],
    content?: object,
  ): Promise<{ status: number; body: Buffer }> {
    return new Promise((done, failed) => {
      const headers = {
        ...(content && { "content-type": "application/json" }),
        ...(this.registryAuth !== undefined && { "x-registry-auth": this.registryAuth }),
      };
      const { socketPath } = this;
      const request = http.request({ socketPath, method, path, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.once("error", failed);
        response.once("end", () => {
          const body = Buffer.concat(chunks);
          const status = response.statusCode ?? 0;
          if (expected.includes(status)) done({ status, body });
          else failed(new Error(`${method} ${path}: ${status} ${body.toString().trim()}`));
        });
      });
      request.setTimeout(30_000, () => request.destroy(new Error(`${method} ${path}: no answer`)));
      request.once("error", failed);
      request.end(content && JSON.stringify(content));
    });
  }
}

function list(kind: "services" | "configs", label: string): string {
  return `/${kind}?filters=${encodeURIComponent(JSON.stringify({ label: [label] }))}`;
}

/** `202611210300`: the same run has the same name, so that it is made once. */
function stamp(due: Date): string {
  return due
    .toISOString()
    .slice(0, 16)
    .replace(/[^0-9]/g, "");
}

/** https://docs.docker.com/engine/swarm/how-swarm-mode-works/swarm-task-states/ */
function stateOf(state: string): Run["state"] {
  if (state === "complete") return "complete";
  return ["failed", "rejected", "orphaned", "shutdown", "remove"].includes(state)
    ? "failed"
    : "running";
}

/** Docker's log stream: each piece after eight bytes, whose last four are its length. */
function lines(stream: Buffer): string[] {
  const text: string[] = [];
  for (let at = 0; at + 8 <= stream.length;) {
    const length = stream.readUInt32BE(at + 4);
    text.push(stream.toString("utf8", at + 8, at + 8 + length));
    at += 8 + length;
  }
  return text.join("").split("\n").filter(Boolean);
}
