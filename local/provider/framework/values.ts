import { Struct } from "google-protobuf/google/protobuf/struct_pb";

/** A bag of Pulumi properties: JSON values, with {@link UNKNOWN} and {@link Secret} at any depth. */
export type Values = Record<string, unknown>;

/** Stands for a value that only exists after the resource has been made. */
export class Unknown {
  private readonly brand = "unknown";

  toString(): string {
    return this.brand;
  }
}

export const UNKNOWN = new Unknown();

/** A value the engine must encrypt in the state file and mask in its output. */
export class Secret {
  constructor(readonly value: unknown) {}
}

// The engine's wire format: pulumi/pulumi sdk/go/common/resource/plugin/rpc.go and sdk/nodejs/runtime/rpc.ts.
const UNKNOWN_SENTINELS: ReadonlySet<string> = new Set([
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);
const UNKNOWN_STRING = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270";

/** Reads properties from the engine. Secrets arrive plain, as this provider does not ask for them. */
export function decode(struct: Struct | undefined): Values {
  return struct ? (decodeValue(struct.toJavaScript()) as Values) : {};
}

export function encode(values: Values): Struct {
  return Struct.fromJavaScript(
    encodeValue(values) as Parameters<(typeof Struct)["fromJavaScript"]>[0],
  );
}

function decodeValue(value: unknown): unknown {
  if (typeof value === "string") {
    return UNKNOWN_SENTINELS.has(value) ? UNKNOWN : value;
  }
  if (Array.isArray(value)) {
    return value.map(decodeValue);
  }
  if (isObject(value)) {
    if (value[SIGNATURE] === SECRET_SIGNATURE) {
      return decodeValue(value.value);
    }
    return mapObject(value, decodeValue);
  }
  return value;
}

function encodeValue(value: unknown): unknown {
  if (value instanceof Unknown) {
    return UNKNOWN_STRING;
  }
  if (value instanceof Secret) {
    return { [SIGNATURE]: SECRET_SIGNATURE, value: encodeValue(value.value) };
  }
  if (Array.isArray(value)) {
    return value.map((item) => encodeValue(item ?? null));
  }
  if (isObject(value)) {
    return mapObject(value, encodeValue);
  }
  return value;
}

/** Maps every defined member. */
export function mapObject(value: Values, map: (value: unknown, key: string) => unknown): Values {
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([key, member]) => [key, map(member, key)]),
  );
}

export function isObject(value: unknown): value is Values {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Unknown) &&
    !(value instanceof Secret)
  );
}

/** Whether an unknown sits anywhere in the value. */
export function hasUnknown(value: unknown): boolean {
  if (value instanceof Unknown) {
    return true;
  }
  return Array.isArray(value)
    ? value.some(hasUnknown)
    : isObject(value) && Object.values(value).some(hasUnknown);
}

/** Terraform's zero value: what an argument that nobody set is stored as. */
export function isZero(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === 0 || value === false) {
    return true;
  }
  return Array.isArray(value)
    ? value.length === 0
    : isObject(value) && Object.values(value).every(isZero);
}

/** The value as a string; absent values are `""`. */
export function text(value: unknown): string {
  return typeof value === "string"
    ? value
    : typeof value === "number" || typeof value === "boolean"
      ? String(value)
      : "";
}

/** The value as a number; absent values are `0`. */
export function integer(value: unknown): number {
  return typeof value === "number" ? value : typeof value === "string" ? Number(value) || 0 : 0;
}

export function items(value: unknown): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

export function texts(value: unknown): string[] {
  return items(value).map(text);
}

export function members(value: unknown): Values {
  return isObject(value) ? value : {};
}
