import * as path from "node:path";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { type Container, type ContainerArgs, makeContainer } from "../app/container";
import { bundle } from "../bundle";
import { bundleService } from "../bundle-service";
import type { RegistryLogin } from "../registry";
import { base64, READABLE, type RolloutTarget } from "../service-defaults";
import { ALIVE_FILE, CODE_FILE, JOBS_FILE, type ScheduledJob } from "./jobs";

const MIB = 1024 * 1024;

/** A service with a schedule. */
export interface SchedulerJob extends ContainerArgs {
  readonly name: string;
  /** Where `service.volume` is kept, and on which node. */
  readonly volume: { readonly directory: string; readonly nodeId: pulumi.Input<string> };
}

export interface SchedulerArgs {
  /** Node.js 20 or later. */
  readonly nodeImage: pulumi.Input<string>;
  readonly networkId: pulumi.Input<string>;
  readonly jobs: readonly SchedulerJob[];
  /** Of the registry that images come from. @default none: anybody may pull them */
  readonly login?: RegistryLogin | undefined;
  /** What must be well before a job starts. */
  readonly after: readonly pulumi.Resource[];
}

/**
 * Runs jobs at their times, as a swarm service `scheduler` on a manager: each run is a service of its own, which
 * is gone when it ends. Its last lines are in the scheduler's log.
 *
 * ```ts
 * new Scheduler("scheduler", { nodeImage, networkId, jobs: [{ name: "report", service: config.services.report, … }], after: [] });
 * ```
 *
 * It holds the manager's Docker socket, and takes no requests. A run that fails is not repeated before its next time.
 */
export class Scheduler extends pulumi.ComponentResource {
  readonly target: RolloutTarget;
  /** Images by job. */
  readonly images: Readonly<Record<string, pulumi.Output<string>>>;

  constructor(name: string, args: SchedulerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("archipelago:app:Scheduler", name, {}, opts);
    const kept = { parent: this, deleteBeforeReplace: false };
    const made = args.jobs.map((job) => ({ job, container: makeContainer(job.name, job, this) }));
    const jobs = made.map(({ job, container }) => scheduled(job, container, args.networkId));
    const list = new docker.ServiceConfig(
      `${name}-jobs`,
      { data: pulumi.jsonStringify(jobs).apply(base64) },
      kept,
    );
    const login =
      args.login &&
      new docker.Secret(`${name}-registry`, { data: registryAuth(args.login).apply(base64) }, kept);
    this.target = bundleService(
      name,
      {
        image: args.nodeImage,
        networkId: args.networkId,
        program: schedulerBundle(),
        codeFile: CODE_FILE,
        memoryMib: 96,
        constraints: ["node.role == manager"],
        container: {
          configs: [
            { configId: list.id, configName: list.name, fileName: JOBS_FILE, fileMode: READABLE },
          ],
          ...(login && {
            secrets: [
              {
                secretId: login.id,
                secretName: login.name,
                fileName: "scheduler-registry",
                fileMode: 0o400,
              },
            ],
          }),
          mounts: [
            { type: "bind", source: "/var/run/docker.sock", target: "/var/run/docker.sock" },
          ],
        },
        aliveCommand: `test -n "$(find ${ALIVE_FILE} -mmin -2)"`,
        after: [...args.after, ...made.flatMap(({ container }) => container.copies)],
      },
      this,
    );
    this.images = Object.fromEntries(made.map(({ job, container }) => [job.name, container.image]));
    this.registerOutputs({});
  }
}

/** The job as Docker's API takes it. https://docs.docker.com/reference/api/engine/ (TaskSpec) */
function scheduled(
  { name, service, volume: { directory, nodeId } }: SchedulerJob,
  { image, env, secrets }: Container,
  networkId: pulumi.Input<string>,
): pulumi.Output<ScheduledJob> {
  const { schedule = "", entrypoint, command, volume, resources } = service;
  return pulumi
    .all([image, env, pulumi.all([...secrets]), networkId, nodeId])
    .apply(([reference, variables, files, network, node]) => ({
      name,
      schedule,
      task: {
        ContainerSpec: {
          Image: reference,
          ...(entrypoint && { Command: entrypoint }),
          ...(command && { Args: command }),
          Env: Object.entries(variables).map(([key, value]) => `${key}=${value}`),
          Init: true,
          Secrets: files.map(({ secretId, secretName, fileName, fileMode }) => ({
            SecretID: secretId,
            SecretName: secretName,
            File: { Name: fileName, UID: "0", GID: "0", Mode: fileMode },
          })),
          ...(volume !== undefined && {
            Mounts: [{ Type: "bind", Source: directory, Target: volume }],
          }),
        },
        Resources: {
          Limits: {
            MemoryBytes: resources.memoryMib * MIB,
            ...(resources.cpus !== undefined && { NanoCPUs: Math.round(resources.cpus * 1e9) }),
          },
        },
        // A second try would be a second run.
        RestartPolicy: { Condition: "none", MaxAttempts: 0 },
        Placement: { Constraints: volume === undefined ? [] : [`node.id == ${node}`] },
        Networks: [{ Target: network }],
        LogDriver: { Name: "json-file", Options: { "max-size": "10m", "max-file": "3" } },
      },
    }));
}

function schedulerBundle(): Buffer {
  return bundle({
    name: "scheduler",
    entry: path.join(__dirname, "agent/main.ts"),
    sources: [__dirname],
  });
}

/** `X-Registry-Auth` of Docker's API. */
function registryAuth({ address, username, password }: RegistryLogin): pulumi.Output<string> {
  const login = pulumi.jsonStringify({ serveraddress: address, username, password });
  return pulumi.secret(login).apply((json) => Buffer.from(json).toString("base64url"));
}
