import type Docker from "dockerode";
import type { VpcSpec } from "../machines";
import { engineMessage, orMissing } from "./engine";
import { bridgeName, objectLabels, vpcName } from "./names";

/**
 * A VPC as a bridge network; its first address is the gateway.
 *
 * @throws {Error} when the range overlaps another network of this machine's engine.
 */
export async function createVpcNetwork(
  docker: Docker,
  instance: string,
  vpc: VpcSpec,
): Promise<void> {
  const name = vpcName(instance, vpc.id);
  if (await orMissing(docker.getNetwork(name).inspect())) return;
  try {
    await docker.createNetwork({
      Name: name,
      Driver: "bridge",
      CheckDuplicate: true,
      IPAM: {
        Driver: "default",
        Config: [{ Subnet: vpc.ipRange, Gateway: gatewayOf(vpc.ipRange) }],
      },
      Options: { "com.docker.network.bridge.name": bridgeName(instance, vpc.id) },
      Labels: objectLabels(instance, "vpc", vpc.id),
    });
  } catch (error) {
    if (!/overlaps/i.test(engineMessage(error))) throw error;
    throw new Error(
      `VPC ${vpc.name}: ${vpc.ipRange} overlaps another Docker network on this machine; ` +
        "choose another range or remove that network",
      { cause: error },
    );
  }
}

export async function deleteVpcNetwork(
  docker: Docker,
  instance: string,
  vpcId: string,
): Promise<void> {
  await orMissing(docker.getNetwork(vpcName(instance, vpcId)).remove());
}

/** First address of an IPv4 CIDR. */
function gatewayOf(ipRange: string): string {
  const [address = ""] = ipRange.split("/");
  const parts = address.split(".");
  return [...parts.slice(0, 3), Number(parts[3]) + 1].join(".");
}
