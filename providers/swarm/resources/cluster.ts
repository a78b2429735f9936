import { randomBytes } from "node:crypto";
import { z } from "zod";
import type { Resource } from "../protocol/resource";
import { changedKeys } from "../protocol/values";
import { checkWith, cidr, hostLabel } from "./inputs";

const inputsSchema = z.strictObject({
  name: hostLabel,
  defaultAddrPool: z.array(cidr).min(1, "must name at least one CIDR").optional(),
});

/** See `Cluster` in `sdk.ts`. */
export const Cluster: Resource = {
  check: (inputs) => checkWith(inputsSchema, inputs),
  diff: (before, after) => {
    const changed = changedKeys(before, after);
    return { changed, replaces: changed };
  },
  preview: (inputs) => inputs,
  create: (inputs) =>
    Promise.resolve({
      id: `${inputsSchema.parse(inputs).name}-${randomBytes(4).toString("hex")}`,
      state: inputs,
    }),
  update: () => Promise.reject(new Error("a swarm cluster is replaced, never updated")),
  delete: () => Promise.resolve(),
};
