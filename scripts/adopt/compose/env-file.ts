/** `.env` and `env_file`: https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/#env-file-syntax */
import { interpolate, type Lookup } from "./interpolate";

const LINE =
  /^[ \t]*(?:export[ \t]+)?([A-Za-z_][\w.-]*)[ \t]*(?:[=:][ \t]*(?:'((?:[^'\\]|\\[\s\S])*)'|"((?:[^"\\]|\\[\s\S])*)"|([^\r\n]*)))?[ \t]*(?:#[^\r\n]*)?$/gm;

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

/**
 * @param lookup of variables outside the file; those above in the file come first.
 * @returns the variables in order. One without `=` is taken from outside, and left out where it is not set there.
 */
export function parseEnvFile(
  text: string,
  lookup: Lookup,
  missing: (name: string) => void,
): Record<string, string> {
  const values: Record<string, string> = {};
  const here: Lookup = (name) => values[name] ?? lookup(name);
  const expand = (raw: string) => interpolate(raw, here, missing);
  for (const [line, name = "", single, double, bare] of text.matchAll(LINE)) {
    if (single !== undefined) values[name] = single.replaceAll("\\'", "'");
    else if (double !== undefined) values[name] = expand(unescape(double));
    else if (bare !== undefined) values[name] = expand(withoutComment(bare));
    else if (!/[=:]/.test(line)) {
      const outside = lookup(name);
      if (outside !== undefined) values[name] = outside;
    } else values[name] = "";
  }
  return values;
}

function unescape(text: string): string {
  return text.replaceAll(/\\([\s\S])/g, (whole, character: string) =>
    character === "$"
      ? "$$"
      : (ESCAPES[character] ?? (/["\\]/.test(character) ? character : whole)),
  );
}

/** A number sign begins a comment only after a blank. */
function withoutComment(text: string): string {
  return text.replace(/(^|[ \t])#.*$/, "").trim();
}
