import { z } from "zod";
import type { Resource } from "../protocol/resource";
import { changedKeys } from "../protocol/values";
import { type Attempt, waitUntil } from "../wait";
import { checkWith, nonEmptyText, wholeNumber } from "./inputs";

const inputsSchema = z.strictObject({
  address: nonEmptyText,
  ttlSeconds: wholeNumber(1, 86_400, " seconds"),
});

/** See `AddressChange` in `sdk`. */
export const AddressChange: Resource = {
  check: (inputs) => checkWith(inputsSchema, inputs),
  diff: (before, after) => ({ changed: changedKeys(before, after), replaces: [] }),
  preview: (inputs) => inputs,
  create: (inputs) => Promise.resolve({ id: "front", state: { ...inputs } }),
  update: async (_id, _state, before, after, context) => {
    const [old, next] = [inputsSchema.parse(before), inputsSchema.parse(after)];
    if (old.address === next.address) return { ...after };
    // What a resolver keeps, it keeps for as long as the record said when it asked.
    const seconds = Math.max(old.ttlSeconds, next.ttlSeconds);
    const end = context.clock.now() + seconds * 1000;
    await waitUntil(
      {
        what: `resolvers to forget ${old.address}, which takes requests meanwhile`,
        timeoutSeconds: seconds + 60,
        context,
      },
      (): Promise<Attempt<true>> => {
        const left = Math.ceil((end - context.clock.now()) / 1000);
        return Promise.resolve(left <= 0 ? { done: true } : { pending: `${left} s left` });
      },
    );
    return { ...after };
  },
  delete: () => Promise.resolve(),
};
