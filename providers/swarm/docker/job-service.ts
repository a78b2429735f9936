import type Docker from "dockerode";
import { z } from "zod";
import type { Context } from "../protocol/resource";
import type { JobInputs } from "../resources/job";
import { statusCodeOf } from "./engine";
import { hasFailed, tasksOf } from "./tasks";

/** Names the job that a service is a record of. */
const JOB_LABEL = "archipelago.job";

export type JobServiceSpec = ReturnType<typeof jobServiceSpec>;

/** The `replicated-job` service that does a job's work once. https://docs.docker.com/reference/api/engine/ (ServiceSpec) */
export function jobServiceSpec(inputs: JobInputs, name: string) {
  return {
    Name: name,
    Labels: { [JOB_LABEL]: inputs.name },
    TaskTemplate: {
      ContainerSpec: {
        Image: inputs.image,
        Command: inputs.command,
        Env: Object.entries(inputs.env ?? {}).map(([key, value]) => `${key}=${value}`),
        ...(inputs.user && { User: inputs.user }),
        Secrets: (inputs.secrets ?? []).map((secret) => ({
          SecretID: secret.secretId,
          SecretName: secret.secretName,
          File: file(secret),
        })),
        Configs: (inputs.configs ?? []).map((config) => ({
          ConfigID: config.configId,
          ConfigName: config.configName,
          File: file(config),
        })),
        Mounts: (inputs.mounts ?? []).map(({ source, target, readOnly = false }) => ({
          Type: "bind" as const,
          Source: source,
          Target: target,
          ReadOnly: readOnly,
        })),
      },
      // A second try would be a second run.
      RestartPolicy: { Condition: "none" as const, MaxAttempts: 0 },
      Placement: { Constraints: [...(inputs.constraints ?? [])] },
      Networks: (inputs.networks ?? []).map((network) => ({ Target: network })),
    },
    Mode: { ReplicatedJob: { MaxConcurrent: 1, TotalCompletions: 1 } },
  };
}

function file({ fileName, fileMode = 0o444 }: { fileName: string; fileMode?: number | undefined }) {
  return { Name: fileName, UID: "0", GID: "0", Mode: fileMode };
}

const services = z.array(z.object({ ID: z.string(), Spec: z.object({ Name: z.string() }) }));
const created = z.object({ ID: z.string() }).or(z.object({ id: z.string() }));

/**
 * The service that does the work: the one that a run before this one began, unless it failed, else a new one.
 *
 * @returns its ID.
 */
export async function ensureJobService(
  engine: Docker,
  spec: JobServiceSpec,
  registryAuth: JobInputs["registryAuth"],
  context: Context,
): Promise<string> {
  const existing = await findService(engine, spec.Name);
  if (existing) {
    const [latest] = await tasksOf(engine, existing);
    if (!latest || !hasFailed(latest)) {
      context.log.info(
        `job ${spec.Name} was begun before: its outcome is awaited, it is not run again`,
      );
      return existing;
    }
    await removeService(engine, existing);
  }
  const answer = created.parse(
    registryAuth
      ? await engine.createService(
          {
            serveraddress: registryAuth.address,
            username: registryAuth.username,
            password: registryAuth.password,
          },
          spec as Docker.CreateServiceOptions,
        )
      : await engine.createService(spec as Docker.CreateServiceOptions),
  );
  return "ID" in answer ? answer.ID : answer.id;
}

async function findService(engine: Docker, name: string): Promise<string | undefined> {
  try {
    return z.object({ ID: z.string() }).parse(await engine.getService(name).inspect()).ID;
  } catch (error) {
    if (statusCodeOf(error) === 404) return undefined;
    throw error;
  }
}

/** Removes what earlier versions of the job left behind, failed ones that no state knows of among them. */
export async function removeOtherRecords(engine: Docker, spec: JobServiceSpec): Promise<void> {
  const records = services.parse(
    await engine.listServices({ filters: { label: [`${JOB_LABEL}=${spec.Labels[JOB_LABEL]}`] } }),
  );
  for (const { ID, Spec } of records) {
    if (Spec.Name === spec.Name) continue;
    const [latest] = await tasksOf(engine, ID);
    const isOver = !latest || hasFailed(latest) || latest.Status.State === "complete";
    if (isOver) await removeService(engine, ID);
  }
}

async function removeService(engine: Docker, id: string): Promise<void> {
  try {
    await engine.getService(id).remove();
  } catch (error) {
    if (statusCodeOf(error) !== 404) throw error;
  }
}
