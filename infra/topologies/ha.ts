import { Alarms } from "../../components/alarms";
import type { Account } from "../account";
import type { Config } from "../config";
import type { Place } from "./ground";
import { finish, raise } from "./swarm";

/** The swarm with every part twice, and somebody who is told when one fails. */
export function ha(config: Config, account: Account, place: Place) {
  const stack = raise(config, account, place);
  const { ground, ingress, managed, second } = stack;
  if (ingress.balancer === undefined) throw new Error("the rules ask for a Load Balancer");
  const emails = config.alerts.emails ?? [account.fleet.email];
  new Alarms("alarms", {
    stack: config.stack,
    emails,
    tag: ground.network.tag,
    balancerId: ingress.balancer.balancer.id,
    databaseId: managed.postgres?.server.cluster.id,
    url: ingress.url,
  });
  if (second && ingress.secondBalancer) {
    new Alarms(
      "alarms",
      {
        stack: second.config.stack,
        emails,
        tag: second.ground.network.tag,
        balancerId: ingress.secondBalancer.balancer.id,
      },
      { parent: second.site.parent },
    );
  }
  return finish(config, account, place, stack);
}
