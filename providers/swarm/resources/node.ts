import { reachMachine, meetMachine } from "../node/machine";
import type { Resource } from "../protocol/resource";
import { changedKeys, UNKNOWN, type Properties } from "../protocol/values";
import { addressOf, type Connection } from "../ssh/pool";
import * as shape from "./inputs";
import { bringIn, type BroughtIn } from "./node-bring-in";
import { storedInputs, nodeInputs, nodeState } from "./node-inputs";
import { readNode } from "./node-drift";
import { importNode } from "./node-import";
import { takeOut } from "./node-take-out";

/** A node of another swarm or another name is another resource; the rest can change on the one there is. */
const REPLACING = ["cluster", "name"];

/** See `Node` in `sdk`. */
export const Node: Resource = {
  check: (inputs) => shape.checkWith(nodeInputs, inputs),

  diff: (before, after) => {
    const changed = changedKeys(before, after);
    return { changed, replaces: changed.filter((key) => REPLACING.includes(key)) };
  },

  preview: (inputs, state) => {
    const sameMachine = state !== undefined && state["dropletId"] === inputs["dropletId"];
    const hostKey = sameMachine ? state["hostKey"] : UNKNOWN;
    const { host, port = 22, bastion } = inputs;
    return {
      ...inputs,
      nodeId: sameMachine ? state["nodeId"] : UNKNOWN,
      hostKey,
      address: inputs["privateIp"],
      connection: { host, port, user: "root", hostKey, ...(bastion !== undefined && { bastion }) },
      managers: state?.["managers"] ?? [],
    };
  },

  create: async (rawInputs, context) => {
    const inputs = nodeInputs.parse(rawInputs);
    const state = await bringIn(inputs, { labels: {}, managers: [] }, context, () =>
      meetMachine(inputs, context),
    );
    return { id: `${inputs.cluster}/${inputs.name}`, state: outputs(rawInputs, state) };
  },

  read: readNode,
  import: importNode,

  update: async (_id, rawState, rawBefore, rawAfter, context) => {
    const { hostKey, managers } = nodeState.parse(rawState);
    const before = storedInputs.parse(rawBefore);
    const inputs = nodeInputs.parse(rawAfter);
    const { host, port, bastion } = inputs;
    const address: Connection = {
      ...addressOf({ host, ...(port && { port }), bastion }),
      user: "root",
      hostKey,
    };
    const state = await bringIn(inputs, { labels: before.labels ?? {}, managers }, context, () =>
      before.dropletId === inputs.dropletId
        ? reachMachine(address, context)
        : meetMachine(inputs, context),
    );
    return outputs(rawAfter, state);
  },

  delete: (_id, state, inputs, context) =>
    takeOut(nodeState.parse(state), storedInputs.parse(inputs), context),
};

function outputs(inputs: Properties, { nodeId, address, managers }: BroughtIn): Properties {
  return {
    ...inputs,
    nodeId,
    hostKey: address.hostKey,
    address: inputs["privateIp"],
    connection: { ...address },
    managers: [...managers],
  };
}
