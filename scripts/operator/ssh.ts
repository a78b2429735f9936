/** `npm run ssh -- <stack> [node] [command…]`: a shell on a node, its host key pinned. */
import { spawn } from "node:child_process";
import { sshOptions } from "../../components/ssh-options";
import { nameOfSecond } from "../../infra/second-site";
import { Fault } from "../../local/fault";
import { findTarget } from "./target";

export async function ssh(
  stack: string,
  words: readonly string[],
  options: { cloud?: boolean },
): Promise<number> {
  const { outputs } = await findTarget(stack, options.cloud ?? false);
  const second = (outputs.secondSite?.nodes ?? []).map((each) => ({
    ...each,
    name: nameOfSecond(each.name),
  }));
  const named = [...outputs.nodes, ...second].find(({ name }) => name === words[0]);
  const node = named ?? outputs.nodes[0];
  const command = named ? words.slice(1) : words;
  if (!node?.connection)
    throw new Fault(`${node?.name ?? stack} is a simulated machine: there is no shell`);
  const { host, port, hostKey } = node.connection;
  const args = [
    // The first value counts. A person may be asked for the passphrase of their key.
    ...["-o", "BatchMode=no", "-o", "LogLevel=ERROR"],
    ...sshOptions(hostKey, process.env.ARCHIPELAGO_SSH_KEY !== undefined),
    ...["-p", String(port ?? 22), "-l", "root", host],
    ...(command.length > 0 ? ["--", ...command] : []),
  ];
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
