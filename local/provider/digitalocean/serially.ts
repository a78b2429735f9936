const last = new Map<string, Promise<unknown>>();

/** Runs works of the same key one after the other, in the order of their calls. */
export function serially<T>(key: string, work: () => Promise<T>): Promise<T> {
  const turn = (last.get(key) ?? Promise.resolve()).then(work, work);
  last.set(key, turn);
  return turn;
}
