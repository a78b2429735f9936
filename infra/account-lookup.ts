/** @returns undefined when what was looked for does not exist. */
export async function found<T>(lookup: Promise<T>): Promise<T | undefined> {
  try {
    return await lookup;
  } catch (error) {
    if (/\b404\b|not[ _]found|\bno \S+( \S+)* found\b|could not find/i.test(String(error)))
      return undefined;
    throw error;
  }
}
