/**
 * A hash of each row, and the sum of them: the same in any order, here and in PostgreSQL. It is PostgreSQL's own hash of texts, 64 bits
 * of Bob Jenkins' lookup3, because MD5 took longer there than everything else that verifying does.
 *
 * https://github.com/postgres/postgres/blob/REL_15_STABLE/src/common/hashfn.c, `hash_bytes_extended` with seed 0, on a little-endian machine.
 */
import type { Checksum } from "../checksum";

/** After so many rows the halves of the sum, which are numbers, might lose digits. */
const EXACT_ROWS = 2 ** 20;

export class RowSum implements Checksum {
  rows = 0;
  private high = 0;
  private low = 0;
  private folded = 0n;

  get sum(): bigint {
    return this.folded + (BigInt(this.high) << 32n) + BigInt(this.low);
  }

  /** @param bytes has the row's canonical text, UTF-8, from `start` up to `end`. */
  add(bytes: DataView, start: number, end: number): void {
    let length = end - start;
    let a = (0x9e3779b9 + length + 3923095) | 0;
    let b = a;
    let c = a;
    let at = start;
    for (; length >= 12; length -= 12, at += 12) {
      a = (a + bytes.getInt32(at, true)) | 0;
      b = (b + bytes.getInt32(at + 4, true)) | 0;
      c = (c + bytes.getInt32(at + 8, true)) | 0;
      a = ((a - c) ^ ((c << 4) | (c >>> 28))) | 0;
      c = (c + b) | 0;
      b = ((b - a) ^ ((a << 6) | (a >>> 26))) | 0;
      a = (a + c) | 0;
      c = ((c - b) ^ ((b << 8) | (b >>> 24))) | 0;
      b = (b + a) | 0;
      a = ((a - c) ^ ((c << 16) | (c >>> 16))) | 0;
      c = (c + b) | 0;
      b = ((b - a) ^ ((a << 19) | (a >>> 13))) | 0;
      a = (a + c) | 0;
      c = ((c - b) ^ ((b << 4) | (b >>> 28))) | 0;
      b = (b + a) | 0;
    }
    // The lowest byte of c is the length's.
    for (let place = 0; place < length; place++) {
      const byte = bytes.getUint8(at + place);
      if (place < 4) a += byte << (8 * place);
      else if (place < 8) b += byte << (8 * (place - 4));
      else c += byte << (8 * (place - 7));
    }
    c = ((c ^ b) - ((b << 14) | (b >>> 18))) | 0;
    a = ((a ^ c) - ((c << 11) | (c >>> 21))) | 0;
    b = ((b ^ a) - ((a << 25) | (a >>> 7))) | 0;
    c = ((c ^ b) - ((b << 16) | (b >>> 16))) | 0;
    a = ((a ^ c) - ((c << 4) | (c >>> 28))) | 0;
    b = ((b ^ a) - ((a << 14) | (a >>> 18))) | 0;
    c = ((c ^ b) - ((b << 24) | (b >>> 8))) | 0;
    this.high += b;
    this.low += c >>> 0;
    this.rows += 1;
    if (this.rows % EXACT_ROWS === 0) this.fold();
  }

  private fold(): void {
    this.folded = this.sum;
    this.high = 0;
    this.low = 0;
  }
}

/**
 * The same in PostgreSQL 11 and later: a query for `rows|sum`.
 *
 * @param row SQL of a row's canonical text.
 */
export function rowSumQuery(table: string, row: string): string {
  // Whatever collations the columns have, their bytes are compared.
  return `SELECT count(*), coalesce(sum(hashtextextended((${row}) COLLATE "C", 0)), 0) FROM ${table}`;
}
