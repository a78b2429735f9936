import type { Member } from "./engine";

/** What the managers' quorum allows. Swarm's managers agree by Raft: more than half of them have to be reachable. */
export interface Quorum {
  readonly managers: number;
  readonly reachable: number;
}

export function quorumOf(members: readonly Member[]): Quorum {
  const managers = members.filter(({ manager }) => manager !== undefined);
  return {
    managers: managers.length,
    reachable: managers.filter(({ manager }) => manager?.isReachable).length,
  };
}

/**
 * Why one more manager must not be added now; `undefined` when it may.
 *
 * Until it answers, the new manager counts without helping, so those that are reachable have to be enough for
 * the larger number. A single manager has no choice; Docker asks the new one for an answer before it counts it.
 */
export function reasonAgainstAdding({ managers, reachable }: Quorum): string | undefined {
  if (managers === 1 || reachable >= majority(managers + 1)) return undefined;
  return (
    `${reachable} of ${managers} managers are reachable, and one more would need ${majority(managers + 1)}: ` +
    "bring the others back or take them out first"
  );
}

/** Why this manager must not be demoted or taken out now; `undefined` when it may. */
export function reasonAgainstRemoving(
  { managers, reachable }: Quorum,
  isReachable: boolean,
): string | undefined {
  if (managers <= 1) return "it is the last manager: add another one first";
  const left = reachable - (isReachable ? 1 : 0);
  if (left >= majority(managers - 1)) return undefined;
  return (
    `${left} of the ${managers - 1} managers that stay are reachable, and ${majority(managers - 1)} are needed: ` +
    "bring the others back first"
  );
}

function majority(managers: number): number {
  return Math.floor(managers / 2) + 1;
}
