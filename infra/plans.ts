/** @returns memory of one database node, which is the end of its size's name: `db-s-1vcpu-2gb` → 2. */
export function memoryGib(size: string): number {
  return Number(/-(\d+)gb$/.exec(size)?.[1] ?? 0);
}
