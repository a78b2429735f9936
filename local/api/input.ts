import { z } from "zod";
import { notFound, unprocessable } from "./errors";

/**
 * Checks a request body; unknown fields are ignored, as the real API does.
 *
 * @throws {ApiError} 422 naming the first wrong field.
 */
export function parse<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const result = schema.safeParse(body ?? {});
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = issue?.path.join(".") ?? "";
  const message = issue?.message ?? "Invalid input";
  // zod's own sentences do not say which field they are about; ours do.
  throw unprocessable(/^(Invalid|Too|Unrec)/.test(message) ? `${path}: ${message}` : message);
}

/** A path parameter that must be a number; anything else is simply not there. */
export function numericId(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw notFound();
  return Number(text);
}

export const tagList = z.array(z.string()).nullish();
