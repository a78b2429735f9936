/** In which order a roll goes through a stack, and how many Droplets that takes. */
import type { Preview, ReplacedNode } from "./preview";

export interface RollPlan {
  /** Nodes in the order of their turns. */
  readonly nodes: readonly ReplacedNode[];
  /** Changes that have nothing to do with the nodes that are replaced, and come before them. */
  readonly otherChanges: number;
  readonly dropletsNow: number;
  readonly dropletsPeak: number;
  readonly dropletsAfter: number;
}

/**
 * @param whole the preview with every node replaced.
 * @param rest the preview with all of them held: what else the stack file changes, or an earlier run left undone.
 * @param leaders who leads the managers, in each site.
 */
export function planRoll(whole: Preview, rest: Preview, leaders: readonly string[]): RollPlan {
  const { dropletsNow } = rest;
  const withNew = dropletsNow + rest.dropletsCreated;
  const after = withNew - rest.dropletsDeleted;
  return {
    nodes: inOrder(whole.replaced, leaders),
    otherChanges: rest.changes,
    dropletsNow,
    dropletsPeak: Math.max(withNew, after + Math.min(1, whole.replaced.length)),
    dropletsAfter: after,
  };
}

/** Workers, then managers, the leaders last: an election then happens once at most in each site. */
export function inOrder(
  nodes: readonly ReplacedNode[],
  leaders: readonly string[],
): readonly ReplacedNode[] {
  const rank = ({ node }: ReplacedNode) =>
    leaders.includes(node) ? 2 : /\bmanager-\d+$/.test(node) ? 1 : 0;
  const number = ({ node }: ReplacedNode) => Number(/\d+$/.exec(node)?.[0] ?? 0);
  return [...nodes].sort((a, b) => rank(a) - rank(b) || number(a) - number(b));
}

/** What a person reads before they agree. */
export function describeRoll(
  stack: string,
  { nodes, otherChanges, dropletsNow, dropletsPeak, dropletsAfter }: RollPlan,
  leaders: readonly string[],
): string {
  const width = Math.max(...nodes.map(({ node }) => node.length));
  const others = otherChanges === 1 ? "1 other change" : `${otherChanges} other changes`;
  const lines = [
    ...(otherChanges > 0 ? [`first ${others}, as \`up\` would make them`] : []),
    ...nodes.map(
      ({ node, why }, index) =>
        `${index + 1}. ${node.padEnd(width)}  ${why}${leaders.includes(node) ? " (the leader)" : ""}`,
    ),
  ];
  const most = dropletsPeak > Math.max(dropletsNow, dropletsAfter) ? dropletsPeak : undefined;
  const atOnce = nodes.length > 1 ? ` (with \`up\`: ${dropletsAfter + nodes.length})` : "";
  const peak = most === undefined ? "" : `, ${most} at most in between${atOnce}`;
  return [
    `${stack}: ${nodes.length === 1 ? "one node" : `${nodes.length} nodes`}, one at a time`,
    ...lines.map((line) => `  ${line}`),
    `Droplets: ${dropletsNow} now → ${dropletsAfter} after${peak}`,
    "",
  ].join("\n");
}
