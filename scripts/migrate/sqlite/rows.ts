/** The rows' way from what sqlite3 prints to what COPY reads, each of them added to a sum as it passes. */
import { canonicalFields, type Canonical } from "./canonical";
import { FIELD_END, NULL_MARK, ROW_END } from "./file";
import { type Crossing, NULL } from "./kinds";
import { RowSum } from "./row-hash";

const TAB = 9;
export const LINE_END = 10;
const BACKSLASH = 92;

/** By byte: 0 for what passes as it is, `END` for what ends a field or a row, else the letter that COPY wants behind a backslash. */
const END = 1;
const ESCAPES = new Uint8Array(256);
for (const [byte, letter] of ["\\\\", "\tt", "\nn", "\rr"].map((pair) => Buffer.from(pair))) {
  ESCAPES[byte ?? 0] = letter ?? 0;
}
ESCAPES[NULL_MARK] = NULL.charCodeAt(1);
for (const end of [FIELD_END, ROW_END]) ESCAPES[end] = END;

export class Rows {
  readonly sum = new RowSum();
  /** Columns whose canonical text is not COPY's, by place. */
  private readonly changing: readonly (readonly [number, Canonical])[];
  /** Where the fields of the row at hand begin. */
  private readonly starts: Int32Array;
  private scratch = Buffer.alloc(4096);
  private scratchView = viewOf(this.scratch);

  constructor(columns: readonly Crossing[]) {
    this.changing = canonicalFields(columns).flatMap((canonical, place) =>
      canonical ? [[place, canonical] as const] : [],
    );
    this.starts = new Int32Array(columns.length + 1);
  }

  /** @param values whole rows, as `SqliteFile.values` gives them. @returns the same for COPY. */
  take(values: Buffer): Buffer {
    const out = Buffer.allocUnsafe(2 * values.length);
    const view = viewOf(out);
    const { starts } = this;
    let to = 0;
    let field = 0;
    starts[0] = 0;
    for (let from = 0; from < values.length; from++) {
      const byte = values[from] ?? 0;
      const letter = ESCAPES[byte] ?? 0;
      if (letter === 0) out[to++] = byte;
      else if (letter !== END) {
        out[to++] = BACKSLASH;
        out[to++] = letter;
      } else if (byte === FIELD_END) {
        out[to++] = TAB;
        starts[++field] = to;
      } else {
        this.add(out, view, to);
        out[to++] = LINE_END;
        field = 0;
        starts[0] = to;
      }
    }
    return out.subarray(0, to);
  }

  private add(out: Buffer, view: DataView, end: number): void {
    const { starts, changing } = this;
    let from = starts[0] ?? 0;
    if (changing.length === 0) return this.sum.add(view, from, end);
    let size = 0;
    for (const [place, canonical] of changing) {
      const start = starts[place] ?? 0;
      const stop = place + 2 < starts.length ? (starts[place + 1] ?? 0) - 1 : end;
      const text = canonical(out.toString("latin1", start, stop));
      this.reserve(size + start - from + text.length);
      size += out.copy(this.scratch, size, from, start);
      size += this.scratch.write(text, size, "latin1");
      from = stop;
    }
    this.reserve(size + end - from);
    size += out.copy(this.scratch, size, from, end);
    this.sum.add(this.scratchView, 0, size);
  }

  private reserve(bytes: number): void {
    if (bytes <= this.scratch.length) return;
    const larger = Buffer.alloc(2 * bytes);
    this.scratch.copy(larger);
    this.scratch = larger;
    this.scratchView = viewOf(larger);
  }
}

function viewOf({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length);
}

/** Cuts a stream where rows end. @param last byte of each row. */
export async function* wholeRows(
  stream: AsyncIterable<unknown>,
  last: number,
): AsyncGenerator<Buffer> {
  let begun: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const end = chunk.lastIndexOf(last) + 1;
    if (end > 0) {
      const head = chunk.subarray(0, end);
      yield begun.length > 0 ? Buffer.concat([...begun, head]) : head;
      begun = [];
    }
    if (end < chunk.length) begun.push(chunk.subarray(end));
  }
  if (begun.length > 0) yield Buffer.concat(begun);
}
