import { Unknown, type Values } from "./values";

type Scalar = string | number | boolean;

/** What the provider knows of one property, in Terraform's terms. */
export interface FieldOptions {
  /** Must be given. */
  readonly required?: boolean;
  /** A change replaces the resource. */
  readonly replace?: boolean;
  /** The provider fills it in when nobody sets it, so that its absence is no change. */
  readonly computed?: boolean;
  /** Encrypted in state and masked in output. */
  readonly secret?: boolean;
  /** The value when nobody sets it; a function is asked at check time. */
  readonly default?: Scalar | (() => Scalar | undefined);
  /** How a given value is kept in state (lower case, a hash). */
  readonly state?: (value: string) => string;
  /** Says that a stored and a given value mean the same (Terraform's DiffSuppressFunc). */
  readonly same?: (old: unknown, given: unknown, olds: Values) => boolean;
  /** Only the provider fills it in: part of what is stored, never of what is compared. */
  readonly readOnly?: boolean;
  /** Replaces the resource for some changes only. */
  readonly replaceWhen?: (old: unknown, given: unknown) => boolean;
}

export type Field = FieldOptions &
  (
    | { readonly kind: "string" | "number" | "boolean" }
    | { readonly kind: "list" | "set" | "map"; readonly element: Field }
    | {
        readonly kind: "object";
        readonly fields: Fields;
        /** What tells one element of a set from another, where that is not all of it. */
        readonly identity?: (element: Values) => Values;
      }
  );

/** A field that holds many values. */
export type Collection = Extract<Field, { readonly element: Field }>;

export type Fields = Readonly<Record<string, Field>>;

export const string = (options: FieldOptions = {}): Field => ({ kind: "string", ...options });
export const number = (options: FieldOptions = {}): Field => ({ kind: "number", ...options });
export const boolean = (options: FieldOptions = {}): Field => ({ kind: "boolean", ...options });
export const list = (element: Field, options: FieldOptions = {}): Field => ({
  kind: "list",
  element,
  ...options,
});
/** A list whose order and repetitions mean nothing. */
export const set = (element: Field, options: FieldOptions = {}): Field => ({
  kind: "set",
  element,
  ...options,
});
export const map = (element: Field, options: FieldOptions = {}): Field => ({
  kind: "map",
  element,
  ...options,
});
export const object = (
  fields: Fields,
  options: FieldOptions & { readonly identity?: (element: Values) => Values } = {},
): Field => ({
  kind: "object",
  fields,
  ...options,
});

/** Slugs are case-insensitive in Terraform's provider and kept in lower case. */
export const lowerCase = (value: string): string => value.toLowerCase();

/** The value as it is kept in state. */
export function stored(field: Field, value: unknown): unknown {
  return field.state && typeof value === "string" ? field.state(value) : value;
}

export function isUnknown(value: unknown): value is Unknown {
  return value instanceof Unknown;
}
