/** One number for all rows of a table, the same in any order: the sum of a hash of each row. */

/** Of MD5's 32 hexadecimal digits these many make the number: they fit PostgreSQL's bigint. */
const DIGITS = 15;

export interface Checksum {
  readonly rows: number;
  /** Sum of the rows' hashes. */
  readonly sum: bigint;
}

/**
 * By MD5, which every PostgreSQL has: a query for `rows|sum`.
 *
 * @param row SQL of a row's text.
 */
export function checksumQuery(table: string, row: string): string {
  const hash = `('x' || left(md5(${row}), ${DIGITS}))::bit(${DIGITS * 4})::bigint`;
  return `SELECT count(*), coalesce(sum(${hash}), 0) FROM ${table}`;
}

export function readChecksum(line: string): Checksum {
  const [rows = "", sum = ""] = line.split("|");
  return { rows: Number(rows), sum: BigInt(sum) };
}

export const agree = (a: Checksum, b: Checksum) => a.rows === b.rows && a.sum === b.sum;
