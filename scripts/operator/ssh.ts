/** `npm run ssh -- <stack> [node] [command…]`: a shell on a node, its host key pinned. */
import { spawn } from "node:child_process";
import { prepareSshDirectory } from "../../components/ssh-directory";
import { sshOptions } from "../../components/ssh-options";
import { BASTION } from "../../infra/names";
import { nameOfSecond } from "../../infra/second-site";
import { Fault } from "../../local/fault";
import type { NodeOutput, Outputs } from "../outputs";
import { findTarget } from "./target";

type NodeConnection = NonNullable<NodeOutput["connection"]>;

/** A machine by the name that it is called here. */
interface Machine {
  readonly name: string;
  readonly connection?: NodeConnection | undefined;
}

export async function ssh(
  stack: string,
  words: readonly string[],
  options: { cloud?: boolean },
): Promise<number> {
  const { outputs } = await findTarget(stack, options.cloud ?? false);
  const machines = machinesOf(outputs);
  const named = machines.find(({ name }) => name === words[0]);
  const node = named ?? machines[0];
  const command = named ? words.slice(1) : words;
  if (!node?.connection)
    throw new Fault(`${node?.name ?? stack} is a simulated machine: there is no shell`);
  const { host, port, hostKey, bastion } = node.connection;
  const args = [
    // The first value counts. A person may be asked for the passphrase of their key.
    ...["-o", "BatchMode=no", "-o", "LogLevel=ERROR"],
    ...sshOptions(hostKey, process.env.ARCHIPELAGO_SSH_KEY !== undefined, bastion),
    ...["-p", String(port ?? 22), "-l", "root", host],
    ...(command.length > 0 ? ["--", ...command] : []),
  ];
  prepareSshDirectory();
  const child = spawn("ssh", args, { stdio: "inherit" });
  return new Promise((done, failed) => {
    child.once("error", (error: NodeJS.ErrnoException) =>
      failed(
        error.code === "ENOENT"
          ? new Fault("There is no ssh on PATH: install OpenSSH's client (openssh-client).")
          : error,
      ),
    );
    child.once("exit", (code) => done(code ?? 255));
  });
}

/** Nodes of both sites, then bastions. */
function machinesOf({ nodes, bastion, secondSite }: Outputs): Machine[] {
  const first = [...nodes, ...(bastion ? [{ ...bastion, name: BASTION }] : [])];
  const second = [
    ...(secondSite?.nodes ?? []),
    ...(secondSite?.bastion ? [{ ...secondSite.bastion, name: BASTION }] : []),
  ];
  return [...first, ...second.map((each) => ({ ...each, name: nameOfSecond(each.name) }))];
}
