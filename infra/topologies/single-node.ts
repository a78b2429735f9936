import type { Account } from "../account";
import type { Config } from "../config";
import type { Place } from "./ground";
import { finish, raise } from "./swarm";

/**
 * Everything on one Droplet: a swarm of one, its data on a Volume, its address a Reserved IP. The same parts as in
 * the larger topologies, of which the configuration asks for fewer: so they have the same URNs.
 */
export function singleNode(config: Config, account: Account, place: Place) {
  return finish(config, account, place, raise(config, account, place));
}
