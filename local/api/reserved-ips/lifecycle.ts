import type { Transition } from "../lifecycle";

const unlock: Transition["finish"] = ({ store }, { ip = "" }) =>
  store.reservedIps.patch(ip, { locked: false });

/** DigitalOcean publishes no move time; a few seconds are seen (FACTS 72). */
export const reservedIpTransitions: Record<string, Transition> = {
  "reserved-ip.assign": {
    seconds: 5,
    apply: ({ store }, { ip = "", dropletId }) => store.reservedIps.patch(ip, { dropletId }),
    finish: unlock,
    fail: unlock,
  },
  "reserved-ip.unassign": {
    seconds: 5,
    apply: ({ store }, { ip = "" }) => store.reservedIps.patch(ip, { dropletId: undefined }),
    finish: unlock,
    fail: unlock,
  },
};
