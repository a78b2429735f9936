import type { Config, StackFile } from "../config";
import { type Fault, show } from "../faults";

const POOLED = /^(manager|worker)-[1-9][0-9]{0,3}$/;

/** What must hold of pools and of nodes by their names. */
export function fleetFaults(file: StackFile, config: Config): Fault[] {
  return file.topology === "single-node" ? singleNodeFaults(file) : poolFaults(file, config);
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

function poolFaults({ topology, nodes, managers }: StackFile, config: Config): Fault[] {
  const present = Object.keys(config.nodes);
  const faults: Fault[] = [];
  for (const [name, { retired }] of Object.entries(nodes)) {
    const path = `archipelago:nodes.${name}`;
    if (!POOLED.test(name)) {
      const rule = "must be named for its pool and number, such as manager-1 or worker-2";
      faults.push({ path, rule });
    } else if (!retired && !(name in config.nodes)) {
      const rule = `must be a node that its pool has: ${present.join(", ")}`;
      faults.push({ path, rule, unless: ["archipelago:managers", "archipelago:workers"] });
    }
  }
  if (topology === "ha" && managers?.count === 1) {
    const rule = "must be 3, 5 or 7 in the ha topology: one manager keeps no quorum when it fails";
    faults.push({ path: "archipelago:managers", rule, got: show(managers.count) });
  }
  return faults;
}
