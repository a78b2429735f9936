import { object, set, string, type Field, type FieldOptions } from "../framework/schema";
import { items, members, text, type Values } from "../framework/values";

/** Labels as the official provider spells them: a set of `{label, value}`. */
export const labelSet = (options: FieldOptions & { readonly keep?: boolean } = {}): Field => {
  const { keep, ...rest } = options;
  const part = string({ required: true, replace: !keep });
  return set(object({ label: part, value: part }), rest);
};

export const labelMap = (labels: unknown): Record<string, string> =>
  Object.fromEntries(
    items(labels)
      .map(members)
      .map(({ label, value }) => [text(label), text(value)]),
  );

export const labelList = (labels: Readonly<Record<string, string>> | null | undefined): Values[] =>
  Object.entries(labels ?? {}).map(([label, value]) => ({ label, value }));
