import { randomBytes, randomInt } from "node:crypto";
import { z } from "zod";
import type { Resource } from "../protocol/resource";
import { changedKeys, secret, UNKNOWN } from "../protocol/values";
import { checkWith, wholeNumber } from "./inputs";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

const inputsSchema = z.strictObject({ length: wholeNumber(16, 256).optional() });

/** See `Password` in `sdk`. */
export const Password: Resource = {
  check: (inputs) => checkWith(inputsSchema, inputs),
  diff: (before, after) => {
    const changed = changedKeys(before, after);
    return { changed, replaces: changed };
  },
  preview: (inputs) => ({ ...inputs, value: UNKNOWN }),
  create: (inputs) => {
    const { length = 32 } = inputsSchema.parse(inputs);
    const value = Array.from({ length }, () => ALPHABET[randomInt(ALPHABET.length)]).join("");
    return Promise.resolve({
      id: randomBytes(8).toString("hex"),
      state: { ...inputs, value: secret(value) },
    });
  },
  update: () => Promise.reject(new Error("a password is replaced, never updated")),
  delete: () => Promise.resolve(),
};
