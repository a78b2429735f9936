/**
 * Leads docker providers whose host is dead to a manager that lives.
 *
 * A refresh runs no program: it asks the host that the state remembers, for each service, and fails at each when that node is
 * gone, though its swarm is well.
 */
import { z } from "zod";
import { sshOptions } from "../components/ssh-options";
import { dockerEngine } from "../providers/swarm/docker/engine";
import { swarmEngine } from "../providers/swarm/docker/swarm-engine";
import { closeBastions } from "../providers/swarm/ssh/bastion";
import { connect, disconnect, type Connection } from "../providers/swarm/ssh/pool";
import { withinSeconds } from "../providers/swarm/wait";
import { exportState, importState, type Resource, type RunPulumi } from "./stack-state";

const ANSWER_SECONDS = 8;

const jumpHost = z.object({
  host: z.string(),
  port: z.number().optional(),
  hostKey: z.string(),
});
const connection = z.object({
  host: z.string(),
  hostKey: z.string(),
  bastion: jumpHost.optional(),
});

const member = z.object({
  inputs: z.object({ cluster: z.string() }),
  outputs: z.object({ connection }),
});

/** Its options are JSON in a text: providers are configured with texts. */
const dockerProvider = z.looseObject({
  inputs: z.looseObject({ host: z.string(), sshOpts: z.string() }),
});

/** What a machine answers: `undefined` when it does not. */
export type Answer = { readonly isManager: boolean } | undefined;

/**
 * @returns lines that say what was changed, or what to do when no manager lives; none when every host lives.
 * @throws {Error} when the stack's state cannot be read or written.
 */
export async function leadToLivingManager(
  pulumi: RunPulumi,
  ask: (connection: Connection) => Promise<Answer> = askNode,
): Promise<string[]> {
  const state = await exportState(pulumi);
  const resources = state.deployment?.resources ?? [];
  const members = resources
    .filter(({ type }) => type === "swarm:index:Node")
    .flatMap((resource) => member.safeParse(resource).data ?? [])
    .map(({ inputs, outputs }) => ({ cluster: inputs.cluster, ...outputs }));
  if (members.length < 2) return [];
  const answers = await Promise.all(members.map(({ connection }) => ask(connection)));
  // An open connection keeps the command from ending.
  closeBastions();
  const managers = members.filter((_, index) => answers[index]?.isManager);
  const dead = members.filter((_, index) => answers[index] === undefined);
  if (managers.length === 0) return adviceFor(members);
  if (dead.length === 0) return [];
  const lines: string[] = [];
  const led = resources.map((resource) => {
    const host = resource.inputs?.["host"];
    const gone = dead.find(({ connection }) => host === `ssh://root@${connection.host}`);
    // Another site's swarm has none of its services.
    const manager = managers.find(({ cluster }) => cluster === gone?.cluster)?.connection;
    if (resource.type !== "pulumi:providers:docker" || !manager) return resource;
    lines.push(`${nameOf(resource)}: ${String(host)} does not answer; asking ${manager.host}`);
    return leadTo(manager, resource);
  });
  if (lines.length === 0) return [];
  await importState(pulumi, { ...state, deployment: { ...state.deployment, resources: led } });
  return lines;
}

/** Behind a bastion that is off all nodes look dead. */
function adviceFor(members: readonly Pick<z.infer<typeof member>["outputs"], "connection">[]) {
  const hosts = new Set(members.flatMap(({ connection: { bastion } }) => bastion?.host ?? []));
  return [...hosts].map(
    (host) =>
      `no node answers through the bastion ${host}: turn its Droplet on; or delete that Droplet, and the next up makes another one (in the cloud after npm run heal -- <stack>)`,
  );
}

function leadTo({ host, hostKey, bastion }: Connection, resource: Resource): Resource {
  const { inputs, ...rest } = dockerProvider.parse(resource);
  const fromEnv = inputs.sshOpts.includes("ARCHIPELAGO_SSH_KEY");
  const changed = {
    host: `ssh://root@${host}`,
    sshOpts: JSON.stringify(sshOptions(hostKey, fromEnv, bastion)),
  };
  const outputs = z.looseObject({}).catch({}).parse(rest["outputs"]);
  return {
    ...resource,
    inputs: { ...inputs, ...changed },
    outputs: { ...outputs, ...changed },
  };
}

async function askNode(connection: Connection): Promise<Answer> {
  try {
    const engine = swarmEngine(dockerEngine(await connect(connection, ANSWER_SECONDS)));
    const { isManager, error } = await withinSeconds(ANSWER_SECONDS, engine.info());
    return { isManager: isManager && error === "" };
  } catch {
    return undefined;
  } finally {
    disconnect(connection);
  }
}

const nameOf = ({ urn }: Resource) => urn.split("::").at(-1) ?? urn;
