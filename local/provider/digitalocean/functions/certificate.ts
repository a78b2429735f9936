import { text } from "../../framework/values";
import { certificateByName, certificateState } from "../resources/certificate";
import type { Invoke } from "./lookup";

export const getCertificate: Invoke = async (client, args) => {
  const found = await certificateByName(client, text(args.name));
  if (!found) {
    throw new Error(`certificate not found: ${text(args.name)}`);
  }
  return { id: found.name, ...certificateState(found) };
};
