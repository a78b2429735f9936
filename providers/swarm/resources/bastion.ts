import { z } from "zod";
import { writeAuthorizedKeys } from "../node/authorized-keys";
import { GONE_SECONDS, meet, reach, type Met } from "../node/machine";
import type { Context, Resource } from "../protocol/resource";
import { changedKeys, UNKNOWN, type Properties } from "../protocol/values";
import { connectBastion } from "../ssh/bastion";
import { addressOf, type Connection } from "../ssh/pool";
import { messageOf } from "../wait";
import * as shape from "./inputs";

const inputsSchema = z.strictObject({
  name: shape.hostLabel,
  dropletId: shape.nonEmptyText,
  host: shape.hostName,
  port: shape.port.optional(),
  bootHostKey: shape.hostKey,
  authorizedKeys: z
    .array(shape.authorizedKey)
    .min(1, "must name at least one key, or nobody could log in"),
});
type Inputs = z.infer<typeof inputsSchema>;

const stateSchema = z.looseObject({ hostKey: z.string() });

/** See `Bastion` in `sdk`. */
export const Bastion: Resource = {
  check: (inputs) => shape.checkWith(inputsSchema, inputs),
  diff: (before, after) => ({ changed: changedKeys(before, after), replaces: [] }),

  preview: (inputs, state) => {
    const sameMachine = state !== undefined && state["dropletId"] === inputs["dropletId"];
    const hostKey = sameMachine ? state["hostKey"] : UNKNOWN;
    const { host, port = 22 } = inputs;
    return { ...inputs, hostKey, connection: { host, port, hostKey } };
  },

  create: async (rawInputs, context) => {
    const inputs = inputsSchema.parse(rawInputs);
    const state = await bringUp(rawInputs, inputs, await meet(inputs, context), context);
    return { id: inputs.name, state };
  },

  read: async (_id, state, rawInputs, context) => {
    const { host, port = 22 } = inputsSchema.parse(rawInputs);
    const { hostKey } = stateSchema.parse(state);
    try {
      await connectBastion({ host, port, hostKey }, GONE_SECONDS);
    } catch (error) {
      // Whether it is gone is for its Droplet to say.
      context.log.warn(messageOf(error));
    }
    return { state, inputs: rawInputs };
  },

  update: async (_id, state, rawBefore, rawAfter, context) => {
    const inputs = inputsSchema.parse(rawAfter);
    if (rawBefore["dropletId"] !== inputs.dropletId) {
      return bringUp(rawAfter, inputs, await meet(inputs, context), context);
    }
    const address: Connection = {
      ...endpointOf(inputs),
      user: "root",
      hostKey: stateSchema.parse(state).hostKey,
    };
    const connection = await reach(address, context);
    return bringUp(rawAfter, inputs, { connection, address }, context);
  },

  // It goes with its Droplet.
  delete: () => Promise.resolve(),
};

async function bringUp(
  rawInputs: Properties,
  inputs: Inputs,
  { connection, address: { hostKey } }: Met,
  context: Context,
): Promise<Properties> {
  await writeAuthorizedKeys(connection, hostKey, inputs.authorizedKeys, context);
  return { ...rawInputs, hostKey, connection: { ...endpointOf(inputs), hostKey } };
}

const endpointOf = ({ host, port }: Inputs) =>
  addressOf({ host, ...(port !== undefined && { port }) });
