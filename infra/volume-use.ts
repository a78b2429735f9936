import type { Account } from "./account";
import type { Config } from "./config";
import { usesVolume } from "./fleet";

/** Whether the stack has a Volume: where something uses it, and as long as there is one, because it may hold data. */
export function keepsVolume(config: Config, { volume }: Pick<Account, "volume">): boolean {
  return usesVolume(config) || volume !== undefined;
}
