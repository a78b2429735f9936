import { followEngine } from "../plugin/follow-engine";
import { serve } from "./protocol/server";
import { AddressChange } from "./resources/address-change";
import { Bastion } from "./resources/bastion";
import { Cluster } from "./resources/cluster";
import { HostKey } from "./resources/host-key";
import { Job } from "./resources/job";
import { getLivingManager } from "./resources/living-manager";
import { Node } from "./resources/node";
import { Password } from "./resources/password";
import { Rollout } from "./resources/rollout";
import { getLogin } from "./ssh/identity";
import { closeConnections } from "./ssh/pool";

/** The engine's address follows the flags; it is absent when the engine attaches later (PULUMI_DEBUG_PROVIDERS). */
const engineAddress = process.argv.slice(2).find((argument) => !argument.startsWith("-"));

// Without an address the engine attached to a process that somebody else started.
if (engineAddress) followEngine();

serve({
  resources: {
    "swarm:index:AddressChange": AddressChange,
    "swarm:index:Bastion": Bastion,
    "swarm:index:Cluster": Cluster,
    "swarm:index:HostKey": HostKey,
    "swarm:index:Job": Job,
    "swarm:index:Node": Node,
    "swarm:index:Password": Password,
    "swarm:index:Rollout": Rollout,
  },
  functions: {
    "swarm:index:getLivingManager": getLivingManager,
    "swarm:index:getLogin": getLogin,
  },
  engineAddress,
  onClose: closeConnections,
}).then(
  (port) => process.stdout.write(`${port}\n`),
  (error: unknown) => {
    process.stderr.write(`swarm provider cannot start: ${String(error)}\n`);
    process.exit(1);
  },
);
