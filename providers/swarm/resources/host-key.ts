import { z } from "zod";
import type { Resource } from "../protocol/resource";
import { changedKeys, secret, UNKNOWN } from "../protocol/values";
import { formatPublicKey, parsePublicKey } from "../ssh/host-keys";
import { generateKeyPair } from "../ssh/key-pair";
import { checkWith, nonEmptyText } from "./inputs";

const inputsSchema = z.strictObject({ name: nonEmptyText });

/** See `HostKey` in `sdk`. */
export const HostKey: Resource = {
  check: (inputs) => checkWith(inputsSchema, inputs),
  // The name is a label: a new key for it would replace the Droplet.
  diff: (before, after) => ({ changed: changedKeys(before, after), replaces: [] }),
  preview: (inputs, state) => ({
    ...(state ?? { publicKey: UNKNOWN, privateKey: UNKNOWN }),
    ...inputs,
  }),
  create: (inputs) => {
    const { name } = inputsSchema.parse(inputs);
    const pair = generateKeyPair();
    const publicKey = formatPublicKey(parsePublicKey(pair.public));
    return Promise.resolve({
      id: `${name}-${publicKey.slice(-12)}`,
      state: { ...inputs, publicKey, privateKey: secret(pair.private) },
    });
  },
  update: (_id, state, _before, after) =>
    Promise.resolve({ ...state, ...after, privateKey: secret(state["privateKey"]) }),
  delete: () => Promise.resolve(),
};
