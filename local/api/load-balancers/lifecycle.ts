import type { Transition } from "../lifecycle";
import { loadBalancerSpec } from "./model";

export const loadBalancerTransitions: Record<string, Transition> = {
  "load-balancer.create": {
    seconds: 60,
    perform: async ({ store, machines }, { loadBalancerId = "" }) => {
      const balancer = store.loadBalancers.get(loadBalancerId);
      if (balancer) await machines.applyLoadBalancer(loadBalancerSpec(store, balancer));
    },
    apply: ({ store }, { loadBalancerId = "" }) =>
      store.loadBalancers.patch(loadBalancerId, { status: "active" }),
    fail: ({ store }, { loadBalancerId = "" }) =>
      store.loadBalancers.patch(loadBalancerId, { status: "errored" }),
  },
  "load-balancer.delete": {
    seconds: 10,
    perform: async ({ machines }, { loadBalancerId = "" }) =>
      machines.deleteLoadBalancer(loadBalancerId),
    apply: ({ store }, { loadBalancerId = "" }) => store.loadBalancers.remove(loadBalancerId),
    fail: ({ store }, { loadBalancerId = "" }) =>
      store.loadBalancers.patch(loadBalancerId, { deleting: false }),
  },
};
