import { isZero, text, type Values } from "../../framework/values";
import { loadBalancerState, type ApiLoadBalancer } from "../resources/load-balancer";
import { single, type Invoke } from "./lookup";

/** By ID or by name. The function's single objects are lists, unlike the resource's. */
export const getLoadBalancer: Invoke = async (client, args) => {
  const listed = (value: unknown): unknown[] => (isZero(value) ? [] : [value]);
  if (isZero(args.id) === isZero(args.name)) {
    throw new Error("Error: specify either a name, or id to use to look up the load balancer");
  }
  const found = isZero(args.id)
    ? single(
        (await client.all<ApiLoadBalancer>("/load_balancers", "load_balancers")).filter(
          ({ name }) => name === args.name,
        ),
        `load balancer with name ${text(args.name)}`,
      )
    : (await client.get<{ load_balancer: ApiLoadBalancer }>(`/load_balancers/${text(args.id)}`))
        .load_balancer;
  const { healthcheck, stickySessions, firewall, glbSettings, ...state }: Values =
    await loadBalancerState(client, found);
  return {
    id: found.id,
    ...state,
    healthchecks: listed(healthcheck),
    stickySessions: listed(stickySessions),
    firewalls: listed(firewall),
    glbSettings: listed(glbSettings),
    network: "",
  };
};
