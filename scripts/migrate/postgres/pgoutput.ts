/** PostgreSQL's own logical decoding, version 1: https://www.postgresql.org/docs/15/protocol-logicalrep-message-formats.html */

/** Text of a value as its type writes it; null = NULL; undefined = unchanged, and too large to be sent again. */
export type Value = string | null | undefined;

export interface Relation {
  readonly id: number;
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly isKey: boolean }[];
}

export type Change =
  /** `commit` is where the log says that the transaction is made: `16/B374D7F0`. */
  | { readonly kind: "begin"; readonly commit: string }
  /** `end` is where that ends. */
  | { readonly kind: "commit"; readonly end: string }
  | { readonly kind: "relation"; readonly relation: Relation }
  | { readonly kind: "insert"; readonly relation: number; readonly row: readonly Value[] }
  | {
      readonly kind: "update";
      readonly relation: number;
      /** The key before, when it changed. */
      readonly old: readonly Value[] | undefined;
      readonly row: readonly Value[];
    }
  | { readonly kind: "delete"; readonly relation: number; readonly old: readonly Value[] }
  | {
      readonly kind: "truncate";
      readonly relations: readonly number[];
      readonly cascade: boolean;
      readonly restart: boolean;
    };

/** @returns undefined for what carries no data (types, origins). @throws {Error} for a message that is not known. */
export function decode(message: Buffer): Change | undefined {
  const reader = new Reader(message);
  const kind = reader.char();
  switch (kind) {
    case "B":
      return { kind: "begin", commit: reader.lsn() };
    case "C":
      reader.skip(9);
      return { kind: "commit", end: reader.lsn() };
    case "R":
      return { kind: "relation", relation: reader.relation() };
    case "I": {
      const relation = reader.int32();
      reader.skip(1);
      return { kind: "insert", relation, row: reader.tuple() };
    }
    case "U": {
      const relation = reader.int32();
      const first = reader.char();
      const old = first === "N" ? undefined : reader.tuple();
      if (old) reader.skip(1);
      return { kind: "update", relation, old, row: reader.tuple() };
    }
    case "D": {
      const relation = reader.int32();
      reader.skip(1);
      return { kind: "delete", relation, old: reader.tuple() };
    }
    case "T": {
      const count = reader.int32();
      const options = reader.int8();
      const relations = Array.from({ length: count }, () => reader.int32());
      return {
        kind: "truncate",
        relations,
        cascade: (options & 1) > 0,
        restart: (options & 2) > 0,
      };
    }
    case "O":
    case "Y":
    case "M":
      return undefined;
    default:
      throw new Error(`logical decoding sent a message ${kind}, which version 1 does not have`);
  }
}

class Reader {
  private at = 0;

  constructor(private readonly bytes: Buffer) {}

  skip(count: number): void {
    this.at += count;
  }

  int8(): number {
    return this.bytes.readUInt8(this.at++);
  }

  char(): string {
    return String.fromCharCode(this.int8());
  }

  int16(): number {
    this.at += 2;
    return this.bytes.readUInt16BE(this.at - 2);
  }

  int32(): number {
    this.at += 4;
    return this.bytes.readUInt32BE(this.at - 4);
  }

  lsn(): string {
    const hex = (part: number) => part.toString(16).toUpperCase();
    return `${hex(this.int32())}/${hex(this.int32())}`;
  }

  relation(): Relation {
    const id = this.int32();
    const schema = this.text();
    const name = this.text();
    this.skip(1);
    const columns = Array.from({ length: this.int16() }, () => {
      const isKey = (this.int8() & 1) > 0;
      const column = { name: this.text(), isKey };
      this.skip(8);
      return column;
    });
    return { id, schema, name, columns };
  }

  tuple(): Value[] {
    return Array.from({ length: this.int16() }, () => {
      const kind = this.char();
      if (kind === "n") return null;
      if (kind === "u") return undefined;
      const length = this.int32();
      this.skip(length);
      return this.bytes.toString("utf8", this.at - length, this.at);
    });
  }

  private text(): string {
    const end = this.bytes.indexOf(0, this.at);
    const text = this.bytes.toString("utf8", this.at, end);
    this.at = end + 1;
    return text;
  }
}
