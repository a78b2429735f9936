/** `npm start`: from nothing to a URL that answers. */
import pc from "picocolors";
import { localPulumi } from "./local-pulumi";
import { setUp } from "../local/setup";
import { readOutputs, type Outputs } from "./outputs";

export async function start(stack: string): Promise<number> {
  const local = await setUp();
  const up = await localPulumi(local, ["up", stack, "--yes"]);
  if (up.code !== 0) {
    process.stderr.write(
      `\nThe stack ${stack} did not come up; what exists is kept. Look: npm run local -- status, npm run logs -- ${stack}. ` +
        `Run npm start again to go on, or npm run local -- reset to remove everything local.\n`,
    );
    return up.code;
  }
  const stackOutput = await localPulumi(local, ["stack", "output", "--json", stack], "capture");
  process.stdout.write(summary(stack, readOutputs(stackOutput.stdout)));
  return 0;
}

/** What a person wants to know once a stack is up. */
export function summary(stack: string, outputs: Outputs): string {
  const rows = outputs.nodes.map(
    (node) =>
      `  ${pc.bold(node.name)}  ${node.role}  ${node.size}  ${node.publicIp ?? "private"}  ${node.privateIp}`,
  );
  const services = Object.entries(outputs.services).map(
    ([name, { replicas, image }]) => `  ${pc.bold(name)}  ${replicas} × ${image || "not served"}`,
  );
  // Simulated machines serve nothing, and the output says so instead.
  const url = outputs.url?.startsWith("http")
    ? pc.green(outputs.url)
    : pc.yellow(outputs.url ?? "");
  return [
    "",
    `${pc.bold(stack)} is up:  ${url}`,
    "Nodes",
    ...rows,
    ...(services.length > 0 ? ["Services", ...services] : []),
    `Cost on DigitalOcean  ${outputs.monthlyCost}`,
    "",
    "Next",
    `  npm run status -- ${stack}          nodes, tasks, last errors`,
    `  npm run logs -- ${stack}            what the app says`,
    `  npm run ssh -- ${stack}             a shell on a node`,
    `  npm run local -- destroy ${stack}   take it down`,
    "",
  ].join("\n");
}
