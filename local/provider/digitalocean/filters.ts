import { integer, items, mapObject, members, text, texts, type Values } from "../framework/values";
import { camelCase, snakeCase } from "./spelling";

/**
 * Narrows and orders a list by the `filters` and `sorts` arguments that DigitalOcean's list functions share
 * (P internal/datalist): each filter needs a match of any of its values, or of all with `all: true`; keys are
 * in the API's spelling (`price_monthly`).
 *
 * @throws {Error} when a key does not exist, naming those that do
 */
export function narrow(
  records: readonly Values[],
  args: Values,
  keys: readonly string[],
): Values[] {
  const filters = items(args.filters).map(members);
  const sorts = items(args.sorts).map(members);
  const known = keys.map(snakeCase);
  for (const { key } of [...filters, ...sorts]) {
    if (!known.includes(text(key))) {
      throw new Error(`expected key to be one of ${known.join(", ")}, got ${text(key)}`);
    }
  }
  const kept = records.filter((record) => filters.every((filter) => passes(record, filter)));
  return kept.sort((a, b) => {
    for (const { key, direction } of sorts) {
      const property = camelCase(text(key));
      const order = compare(a[property], b[property]);
      if (order !== 0) {
        return direction === "desc" ? -order : order;
      }
    }
    return 0;
  });
}

/** The result of a list function: the records and the arguments. */
export function listResult(key: string, records: Values[], args: Values): Values {
  return { ...mapObject(args, (value) => value), id: key, [key]: records };
}

function passes(record: Values, filter: Values): boolean {
  const value = record[camelCase(text(filter.key))];
  const wanted = texts(filter.values);
  const matches = (one: string): boolean =>
    (Array.isArray(value) ? items(value) : [value]).some((item) =>
      equals(item, one, text(filter.matchBy) || "exact"),
    );
  return filter.all === true ? wanted.every(matches) : wanted.some(matches);
}

function equals(value: unknown, wanted: string, matchBy: string): boolean {
  if (typeof value === "number") {
    return value === Number(wanted);
  }
  switch (matchBy) {
    case "re":
      return new RegExp(wanted).test(text(value));
    case "substring":
      return text(value).includes(wanted);
    default:
      return text(value) === wanted;
  }
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === "number" || typeof b === "number") {
    return integer(a) - integer(b);
  }
  return text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : 0;
}
