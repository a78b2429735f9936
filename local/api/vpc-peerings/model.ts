import { timestamp } from "../context";
import type { Transition } from "../lifecycle";

/** Two VPCs that may talk to each other. Kept and shown; local VPCs stay apart. */
export interface VpcPeeringRecord {
  readonly id: string;
  readonly name: string;
  readonly vpcIds: readonly [string, string];
  readonly status: "PROVISIONING" | "ACTIVE" | "DELETING";
  /** ISO 8601. */
  readonly createdAt: string;
}

export const peeringView = ({ id, name, vpcIds, status, createdAt }: VpcPeeringRecord) => ({
  id,
  name,
  vpc_ids: vpcIds,
  status,
  created_at: timestamp(new Date(createdAt)),
});

export const vpcPeeringTransitions: Record<string, Transition> = {
  "vpc-peering.create": {
    seconds: 20,
    finish: ({ store }, { peeringId = "" }) =>
      store.vpcPeerings.patch(peeringId, { status: "ACTIVE" }),
  },
  "vpc-peering.delete": {
    seconds: 20,
    finish: ({ store }, { peeringId = "" }) => store.vpcPeerings.remove(peeringId),
  },
};
