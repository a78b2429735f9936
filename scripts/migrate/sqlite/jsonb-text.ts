/** JSON as PostgreSQL's jsonb writes it: https://www.postgresql.org/docs/15/datatype-json.html */

/**
 * @param text valid JSON.
 * @returns what `text::jsonb::text` gives: keys by length and then by bytes, of equal ones the last, numbers as numeric writes them.
 */
export function jsonbText(text: string): string {
  const reader = new Reader(text);
  return reader.value();
}

class Reader {
  private at = 0;

  constructor(private readonly text: string) {}

  value(): string {
    this.skipSpace();
    const char = this.text[this.at];
    if (char === "{") return this.object();
    if (char === "[") return this.array();
    if (char === '"') return write(this.string());
    const [word = ""] = /^[^\s,\]}]+/.exec(this.text.slice(this.at, this.at + 4096)) ?? [];
    this.at += word.length;
    return /^[tfn]/.test(word) ? word : plainNumber(word);
  }

  private object(): string {
    const members = new Map<string, string>();
    this.each("}", () => {
      this.skipSpace();
      const key = this.string();
      this.skipSpace();
      this.at += 1;
      members.set(key, this.value());
    });
    const sorted = [...members].sort(([a], [b]) => byLengthThenBytes(a, b));
    return `{${sorted.map(([key, value]) => `${write(key)}: ${value}`).join(", ")}}`;
  }

  private array(): string {
    const items: string[] = [];
    this.each("]", () => items.push(this.value()));
    return `[${items.join(", ")}]`;
  }

  private each(end: string, read: () => void): void {
    this.at += 1;
    this.skipSpace();
    while (this.at < this.text.length && this.text[this.at] !== end) {
      read();
      this.skipSpace();
      if (this.text[this.at] === ",") this.at += 1;
      this.skipSpace();
    }
    this.at += 1;
  }

  private string(): string {
    const start = this.at;
    this.at += 1;
    while (this.at < this.text.length && this.text[this.at] !== '"') {
      this.at += this.text[this.at] === "\\" ? 2 : 1;
    }
    this.at += 1;
    return JSON.parse(this.text.slice(start, this.at)) as string;
  }

  private skipSpace(): void {
    while (/\s/.test(this.text[this.at] ?? "")) this.at += 1;
  }
}

function byLengthThenBytes(a: string, b: string): number {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length - right.length || left.compare(right);
}

/** PostgreSQL escapes what JSON must escape, as JSON.stringify does; lone surrogates it does not accept at all. */
const write = (text: string) => JSON.stringify(text);

/** `1.5e3` → `1500`: numeric knows no exponent, and keeps the digits behind the point. */
function plainNumber(text: string): string {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const digits = whole + fraction;
  const point = whole.length + Number(exponent);
  const padded = digits.padStart(digits.length + Math.max(0, 1 - point), "0");
  const place = Math.max(1, point);
  const integer = padded
    .slice(0, place)
    .padEnd(place, "0")
    .replace(/^0+(?=\d)/, "");
  const rest = padded.slice(place);
  const plain = rest ? `${integer}.${rest}` : integer;
  return sign && /[1-9]/.test(plain) ? `-${plain}` : plain;
}
