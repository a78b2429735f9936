import { canonicalJson } from "../protocol/values";
import type { Context } from "../protocol/resource";
import type { Availability } from "../swarm/engine";
import { MEMBER_LABELS, type Reach } from "../swarm/swarm";
import { identifyingLabels, type MemberSpec } from "./join";
import { restore } from "./replicas";
import { changeMember, demote, promote } from "./role";

/** How a member is to stand in the swarm's list. */
export interface Standing extends MemberSpec {
  readonly labels: Readonly<Record<string, string>>;
  /** Ours of before: those that are not wanted any more go; labels of others stay. */
  readonly labelsBefore: Readonly<Record<string, string>>;
  readonly availability: Availability;
}

/** Gives a member its labels, availability and role. To be called under the lock. */
export async function settle(
  reach: Reach,
  nodeId: string,
  standing: Standing,
  context: Context,
): Promise<void> {
  const { name, role, labels, labelsBefore, availability } = standing;
  const wanted = { ...labels, ...identifyingLabels(standing) };
  await changeMember(reach, nodeId, `labels of ${name}`, context, (member) => {
    const next = mergeLabels(member.labels, wanted, {
      ...labelsBefore,
      // It stays: a leave that was begun is over.
      [MEMBER_LABELS.leaving]: "",
    });
    const same =
      canonicalJson(next) === canonicalJson(member.labels) && member.availability === availability;
    return same ? {} : { labels: next, availability };
  });
  await restore(reach, nodeId, context);
  if (role === "manager") await promote(reach, nodeId, name, context);
  else await demote(reach, nodeId, name, context);
}

export function mergeLabels(
  current: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
  before: Readonly<Record<string, string>>,
): Record<string, string> {
  const foreign = Object.entries(current).filter(([key]) => !(key in before));
  return { ...Object.fromEntries(foreign), ...wanted };
}
