import { Alarms } from "../../components/alarms";
import type { Account } from "../account";
import type { Config } from "../config";
import type { Place } from "./ground";
import { finish, raise } from "./swarm";

/** The swarm with every part twice, and somebody who is told when one fails. */
export function ha(config: Config, account: Account, place: Place) {
  const stack = raise(config, account, place);
  const { ground, ingress, managed } = stack;
  if (ingress.balancer === undefined) throw new Error("the rules ask for a Load Balancer");
  new Alarms("alarms", {
    stack: config.stack,
    emails: config.alerts.emails ?? [account.fleet.email],
    tag: ground.network.tag,
    balancerId: ingress.balancer.balancer.id,
    databaseId: managed.postgres?.server.cluster.id,
    url: ingress.url,
  });
  return finish(config, account, place, stack);
}
