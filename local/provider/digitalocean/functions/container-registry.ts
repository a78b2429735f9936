import { text } from "../../framework/values";
import { registryState } from "../resources/container-registry";
import type { Invoke } from "./lookup";

export const getContainerRegistry: Invoke = async (client, args) => {
  const found = await registryState(client, text(args.name));
  if (!found) {
    throw new Error(`container registry not found: ${text(args.name)}`);
  }
  return { id: found.id, ...found.state };
};
