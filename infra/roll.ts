import { z } from "zod";

const VARIABLE = "ARCHIPELAGO_ROLL";

/**
 * How far one run of the program goes with nodes that it would replace. It is no part of the stack file, which says what
 * is wanted and not how to get there: `npm run roll` sets it for each of its steps.
 */
const schema = z.strictObject({
  /** Nodes that keep their Droplet as it is: its image, its size. */
  held: z.array(z.string()),
  /** Whether other user data than a Droplet was born with replaces it. */
  userData: z.boolean(),
});
export type Roll = z.infer<typeof schema>;

/** @returns undefined outside of a roll. */
export function rollOf(env: Readonly<Record<string, string | undefined>>): Roll | undefined {
  const text = env[VARIABLE];
  return text === undefined ? undefined : schema.parse(JSON.parse(text));
}

/** What the program's environment must hold to go that far. */
export function rollEnvironment(roll: Roll): Record<string, string> {
  return { [VARIABLE]: JSON.stringify(roll) };
}
