let last: Promise<unknown> = Promise.resolve();

/**
 * Changes of a swarm's membership happen one after another in this process: managers that join or leave at once could
 * lose their quorum, and nodes that leave at once could take all tasks of a service with them.
 */
export function inTurn<T>(change: () => Promise<T>): Promise<T> {
  const mine = last.then(change, change);
  last = mine.catch(() => undefined);
  return mine;
}
