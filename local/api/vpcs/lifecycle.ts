import type { Transition } from "../lifecycle";

export const vpcTransitions: Record<string, Transition> = {
  "vpc.delete": {
    seconds: 0,
    perform: async ({ machines }, { vpcId = "" }) => machines.deleteVpc(vpcId),
    finish: ({ store }, { vpcId = "" }) => store.vpcs.remove(vpcId),
    fail: ({ store }, { vpcId = "" }) => store.vpcs.patch(vpcId, { deleting: false }),
  },
};
