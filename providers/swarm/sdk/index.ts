/** What programs say of swarms: resources of the provider `swarm`, and what they are given. */
export * from "./address-change";
export * from "./bastion";
export * from "./cluster";
export * from "./connection";
export * from "./host-key";
export * from "./job";
export * from "./living-manager";
export * from "./node";
export * from "./password";
export * from "./rollout";
