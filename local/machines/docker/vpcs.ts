import type Docker from "dockerode";
import { overlaps, parseCidr } from "../../../infra/cidr";
import { RangeTaken, type VpcSpec } from "../machines";
import { engineMessage, orMissing } from "./engine";
import { bridgeName, DIRECTORY_LABEL, objectLabels, vpcName } from "./names";

/**
 * A VPC as a bridge network; its first address is the gateway.
 *
 * @param directory of this local DigitalOcean, told to whoever wants the same range.
 * @throws {RangeTaken} when the range overlaps another network of this machine's engine.
 */
export async function createVpcNetwork(
  docker: Docker,
  instance: string,
  vpc: VpcSpec,
  directory = "",
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
      Labels: { ...objectLabels(instance, "vpc", vpc.id), [DIRECTORY_LABEL]: directory },
    });
  } catch (error) {
    if (!/overlaps/i.test(engineMessage(error))) throw error;
    const owner = await ownerOf(docker, vpc.ipRange);
    throw new RangeTaken(
      `VPC ${vpc.name}: ${vpc.ipRange} is in use by ${owner} on this machine; choose another range (archipelago:vpcCidr)`,
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

/** Whose network has addresses of `ipRange`, and how to remove it, as the end of a sentence. */
async function ownerOf(docker: Docker, ipRange: string): Promise<string> {
  const wanted = parseCidr(ipRange);
  const networks = await docker.listNetworks();
  const owner = networks.find(({ IPAM }) =>
    IPAM?.Config?.some(({ Subnet = "" }) => {
      const taken = parseCidr(Subnet);
      return wanted && taken && overlaps(wanted, taken);
    }),
  );
  const directory = owner?.Labels?.[DIRECTORY_LABEL];
  if (directory)
    return (
      `the local DigitalOcean in ${directory} ` +
      `(to remove that: ARCHIPELAGO_LOCAL_DIR=${directory} npm run local -- reset)`
    );
  return owner ? `the Docker network ${owner.Name}` : "another network";
}

/** First address of an IPv4 CIDR. */
function gatewayOf(ipRange: string): string {
  const [address = ""] = ipRange.split("/");
  const parts = address.split(".");
  return [...parts.slice(0, 3), Number(parts[3]) + 1].join(".");
}
