import { isIPv4 } from "node:net";
import { z } from "zod";
import type { CheckFailure } from "../protocol/resource";
import { unknownAt, type Properties } from "../protocol/values";
import { parsePublicKey } from "../ssh/host-keys";

/** Shapes that several resources' inputs share, with messages that say what is allowed and what was got. */

/** A text that `test` accepts; `what` follows "must be". */
export function text(what: string, test: (value: string) => boolean) {
  return z.custom<string>((value) => typeof value === "string" && test(value), {
    error: (issue) => `must be ${what}, got ${show(issue.input)}`,
  });
}

export function wholeNumber(min: number, max: number, unit = "") {
  return z.custom<number>(
    (value) => Number.isInteger(value) && (value as number) >= min && (value as number) <= max,
    {
      error: (issue) =>
        `must be a whole number from ${min} to ${max}${unit}, got ${show(issue.input)}`,
    },
  );
}

export const nonEmptyText = text("a text that is not empty", (value) => value.trim() !== "");

export const ipv4 = text("an IPv4 address such as 10.0.0.4", isIPv4);

export const cidr = text("an IPv4 CIDR such as 10.20.0.0/16", (value) => {
  const [address = "", bits = ""] = value.split("/");
  return isIPv4(address) && /^\d{1,2}$/.test(bits) && Number(bits) <= 32;
});

/** Node and service names end up in DNS. */
export const hostLabel = text(
  "a name of lower-case letters, digits and hyphens, at most 63, starting and ending with a letter or digit",
  (value) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(value),
);

export const hostName = text(
  "an IPv4 address or a host name",
  (value) =>
    isIPv4(value) ||
    (value.length <= 253 &&
      /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i.test(value) &&
      !/^[\d.]+$/.test(value)),
);

export const hostKey = text('one OpenSSH public key "ssh-ed25519 AAAA…"', (value) => {
  try {
    parsePublicKey(value);
    return true;
  } catch {
    return false;
  }
});

/** An operator's key may be of any type that sshd knows. */
export const authorizedKey = text(
  'one OpenSSH public key on one line, such as "ssh-ed25519 AAAA… me@laptop"',
  (value) => /^(ssh|ecdsa|sk)-[\w@.-]+ [A-Za-z0-9+/]+=*( [^\n]*)?$/.test(value.trim()),
);

/** A path that can stand between single quotes in a shell script. */
export const absolutePath = text("an absolute path without quotes or line ends", (value) =>
  /^\/[^'"\n\\]*$/.test(value),
);

export const relativePath = text(
  "a relative path without quotes, line ends or ..",
  (value) => /^[^/'"\n\\][^'"\n\\]*$/.test(value) && !value.split("/").includes(".."),
);

export const port = wholeNumber(1, 65535);

export const jumpHost = z.strictObject({ host: hostName, port: port.optional(), hostKey });

export const connection = z.strictObject({
  host: hostName,
  port: port.optional(),
  user: z.literal("root", { error: 'must be "root", the only user there is' }).optional(),
  hostKey,
  bastion: jumpHost.optional(),
});

/** Every fault of `inputs`, leaving out what cannot be judged yet because it is unknown. */
export function checkWith(schema: z.ZodType, inputs: Properties): CheckFailure[] {
  const result = schema.safeParse(inputs);
  if (result.success) return [];
  return result.error.issues.flatMap((issue) => {
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => ({
        property: [...issue.path, key].join("."),
        reason: `is not an input of this resource; its inputs are ${inputNames(schema, issue.path)}`,
      }));
    }
    if (unknownAt(inputs, issue.path)) return [];
    const missing = valueAt(inputs, issue.path) === undefined;
    return [
      {
        property: issue.path.join("."),
        reason: missing
          ? `is required and ${issue.message.replace(/, got .*$/, "")}`
          : issue.message,
      },
    ];
  });
}

function inputNames(schema: z.ZodType, path: readonly PropertyKey[]): string {
  return path.length === 0 && schema instanceof z.ZodObject
    ? Object.keys(schema.shape).join(", ")
    : "in its documentation";
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (current, key) => (current as Record<PropertyKey, unknown> | undefined)?.[key],
    value,
  );
}

function show(value: unknown): string {
  if (value === undefined) return "nothing";
  const shown = JSON.stringify(value);
  return shown.includes("PRIVATE KEY") ? "a private key" : shown;
}
