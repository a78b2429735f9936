import type { Transition } from "../lifecycle";
import { vpcSpec } from "../vpcs/model";
import { unpointNames } from "./dns";
import { syncGlobalNames } from "./global";
import { loadBalancerSpec, syncNames } from "./model";

export const loadBalancerTransitions: Record<string, Transition> = {
  "load-balancer.create": {
    seconds: 60,
    perform: async ({ store, machines }, { loadBalancerId = "" }) => {
      const balancer = store.loadBalancers.get(loadBalancerId);
      const vpc = balancer && store.vpcs.get(balancer.vpcId);
      if (!vpc) return;
      // A region's default VPC has no body before something is in it.
      await machines.createVpc(vpcSpec(vpc));
      await machines.applyLoadBalancer(loadBalancerSpec(store, balancer));
    },
    apply: ({ store }, { loadBalancerId = "" }) => {
      store.loadBalancers.patch(loadBalancerId, { status: "active" });
      syncNames(store, loadBalancerId);
    },
    fail: ({ store }, { loadBalancerId = "" }) =>
      store.loadBalancers.patch(loadBalancerId, { status: "errored" }),
  },
  "load-balancer.delete": {
    seconds: 10,
    perform: async ({ machines }, { loadBalancerId = "" }) =>
      machines.deleteLoadBalancer(loadBalancerId),
    apply: ({ store }, { loadBalancerId = "" }) => {
      unpointNames(store, store.loadBalancers.get(loadBalancerId)?.dnsRecordIds ?? []);
      store.loadBalancers.remove(loadBalancerId);
    },
    fail: ({ store }, { loadBalancerId = "" }) =>
      store.loadBalancers.patch(loadBalancerId, { deleting: false }),
  },
  // Nothing runs for a global one: its address leads to the regional one that comes first.
  "load-balancer.create-global": {
    seconds: 60,
    apply: ({ store }, { loadBalancerId = "" }) => {
      store.globalLoadBalancers.patch(loadBalancerId, { status: "active" });
      syncGlobalNames(store, loadBalancerId);
    },
  },
  "load-balancer.delete-global": {
    seconds: 10,
    apply: ({ store }, { loadBalancerId = "" }) => {
      unpointNames(store, store.globalLoadBalancers.get(loadBalancerId)?.dnsRecordIds ?? []);
      store.globalLoadBalancers.remove(loadBalancerId);
    },
  },
};
