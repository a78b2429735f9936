/** Variables in a compose file: https://docs.docker.com/reference/compose-file/interpolation/ */
import { Fault } from "../../../local/fault";

/** Value of a variable; undefined where it is not set. */
export type Lookup = (name: string) => string | undefined;

const NAME = /^[A-Za-z_][A-Za-z0-9_]*/;

/**
 * Puts values in the place of `$NAME` and `${NAME}`, with `:-` `-` `:?` `?` `:+` `+` and nesting. `$$` is a dollar sign.
 *
 * @param missing is told of each variable that has neither a value nor a default: it becomes empty, as with Compose.
 * @throws {Fault} when a required variable is missing, or what follows a dollar sign makes no sense.
 */
export function interpolate(text: string, lookup: Lookup, missing: (name: string) => void): string {
  let out = "";
  for (let at = 0; at < text.length;) {
    const dollar = text.indexOf("$", at);
    if (dollar < 0) return out + text.slice(at);
    out += text.slice(at, dollar);
    const rest = text.slice(dollar + 1);
    const plain = NAME.exec(rest)?.[0];
    if (rest.startsWith("$")) {
      out += "$";
      at = dollar + 2;
    } else if (rest.startsWith("{")) {
      const end = closingBrace(text, dollar + 1);
      out += expand(text.slice(dollar + 2, end), lookup, missing);
      at = end + 1;
    } else if (plain !== undefined) {
      out += valueOf(plain, lookup, missing);
      at = dollar + 1 + plain.length;
    } else {
      throw new Fault(`"${text}" has a dollar sign that begins no variable: write $$ for one.`);
    }
  }
  return out;
}

function valueOf(name: string, lookup: Lookup, missing: (name: string) => void): string {
  const value = lookup(name);
  if (value === undefined) missing(name);
  return value ?? "";
}

function closingBrace(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if (text.startsWith("${", at - 1) || at === open) depth++;
    else if (text[at] === "}" && --depth === 0) return at;
  }
  throw new Fault(`"${text}" has a \${ without its }.`);
}

/** What stands between the braces. */
function expand(inside: string, lookup: Lookup, missing: (name: string) => void): string {
  const name = NAME.exec(inside)?.[0];
  if (name === undefined) throw new Fault(`"\${${inside}}" names no variable.`);
  const rest = inside.slice(name.length);
  if (rest === "") return valueOf(name, lookup, missing);
  const operator = /^:?[-?+]/.exec(rest)?.[0];
  if (operator === undefined) {
    throw new Fault(`"\${${inside}}" is not of Compose's forms: \${NAME}, \${NAME:-default}, …`);
  }
  const value = lookup(name);
  const isThere = value !== undefined && (!operator.startsWith(":") || value !== "");
  const word = () => interpolate(rest.slice(operator.length), lookup, missing);
  if (operator.endsWith("+")) return isThere ? word() : "";
  if (isThere) return value;
  if (operator.endsWith("-")) return word();
  throw new Fault(`The variable ${name} is required${word() === "" ? "" : `: ${word()}`}.`);
}
