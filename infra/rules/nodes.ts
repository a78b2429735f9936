import type { Config, StackFile } from "../config";
import { type Fault, show } from "../faults";

const POOLED = /^(manager|worker)-[1-9][0-9]{0,3}$/;

/** What must hold of pools and of nodes by their names. */
export function fleetFaults(file: StackFile, config: Config): Fault[] {
  return file.topology === "single-node"
    ? singleNodeFaults(file)
    : poolFaults(file, config, "archipelago:");
}

function singleNodeFaults({ nodes, managers, workers }: StackFile): Fault[] {
  const names = Object.keys(nodes);
  const pools = Object.entries({ managers, workers }).filter(([, pool]) => pool !== undefined);
  return [
    ...(names.length <= 1
      ? []
      : [
          {
            path: "archipelago:nodes",
            rule: "must name one node in the single-node topology",
            got: names.join(", "),
            unless: ["archipelago:nodes"],
          },
        ]),
    ...pools.map(([key]) => ({
      path: `archipelago:${key}`,
      rule: "must be left out in the single-node topology, which has one node",
    })),
    ...names
      .filter((name) => nodes[name]?.retired)
      .map((name) => ({
        path: `archipelago:nodes.${name}.retired`,
        rule: "must be false: it is the only node",
      })),
  ];
}

/**
 * Pools, and nodes by their names.
 *
 * @param at where they stand in the stack file: `archipelago:`, or a key that holds them.
 */
export function poolFaults(
  { topology, nodes, managers }: Pick<StackFile, "topology" | "nodes" | "managers">,
  { nodes: wanted }: Pick<Config, "nodes">,
  at: string,
): Fault[] {
  const key = (name: string) => (at.endsWith(":") ? `${at}${name}` : `${at}.${name}`);
  const present = Object.keys(wanted);
  const faults: Fault[] = [];
  for (const [name, { retired }] of Object.entries(nodes)) {
    const path = key(`nodes.${name}`);
    if (!POOLED.test(name)) {
      const rule = "must be named for its pool and number, such as manager-1 or worker-2";
      faults.push({ path, rule });
    } else if (!retired && !(name in wanted)) {
      const rule = `must be a node that its pool has: ${present.join(", ")}`;
      faults.push({ path, rule, unless: [key("managers"), key("workers")] });
    }
  }
  if (topology === "ha" && managers?.count === 1) {
    const rule = "must be 3, 5 or 7 in the ha topology: one manager keeps no quorum when it fails";
    faults.push({ path: key("managers"), rule, got: show(managers.count) });
  }
  return faults;
}
