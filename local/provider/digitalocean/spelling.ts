import { isObject, mapObject, type Values } from "../framework/values";

/** `price_monthly` → `priceMonthly`. */
export const camelCase = (key: string): string =>
  key.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

/** `priceMonthly` → `price_monthly`. */
export const snakeCase = (key: string): string =>
  key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** The API's spelling of Pulumi's names, at every depth; what is not set is left out. */
export const toApi = (values: Values): Values => renamed(values, snakeCase) as Values;

/** Pulumi's spelling of the API's names, at every depth. */
export const fromApi = (values: object): Values => renamed(values, camelCase) as Values;

function renamed(value: unknown, rename: (key: string) => string): unknown {
  if (Array.isArray(value)) {
    return value.map((item) => renamed(item, rename));
  }
  if (!isObject(value)) {
    return value;
  }
  return Object.fromEntries(
    Object.entries(mapObject(value, (member) => renamed(member, rename)))
      .filter(([, member]) => member !== null)
      .map(([key, member]) => [rename(key), member]),
  );
}

/** A time of the API as the official provider stores it: Go's `Time.UTC().String()`. */
export const goTime = (time: string | null | undefined): string =>
  time ? `${time.replace("T", " ").replace(/Z$/, "")} +0000 UTC` : "";
