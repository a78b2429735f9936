/** One number for all rows of a table, the same in any order: the sum of a hash of each row. */
import { createHash } from "node:crypto";

/** Of MD5's 32 hexadecimal digits these many make the number: they fit PostgreSQL's bigint. */
const DIGITS = 15;

export interface Checksum {
  readonly rows: number;
  /** Sum of the rows' hashes. */
  readonly sum: bigint;
}

export class RowSum implements Checksum {
  rows = 0;
  sum = 0n;

  /** @param row its canonical text, UTF-8. */
  add(row: Buffer): void {
    this.rows += 1;
    this.sum += createHash("md5").update(row).digest().readBigUInt64BE(0) >> 4n;
  }
}

/**
 * The same in PostgreSQL: a query for `rows|sum`.
 *
 * @param row SQL of a row's canonical text.
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
