import { nextAddress, parseCidr } from "../addresses";
import type { Context } from "../context";
import { unprocessable } from "../errors";

/** The next free address of a VPC, for a Droplet, a Load Balancer or a database cluster; call inside a transaction. */
export function takePrivateAddress({ store }: Context, vpcId: string): string {
  const vpc = store.vpcs.get(vpcId);
  const range = parseCidr(vpc?.ipRange ?? "");
  const members = [
    ...store.droplets.all(),
    ...store.loadBalancers.all(),
    ...store.databases.all(),
    ...store.natGateways
      .all()
      .flatMap(({ vpcs }) =>
        vpcs.map((each) => ({ vpcId: each.vpcId, privateIp: each.gatewayIp })),
      ),
  ];
  const taken = new Set(
    members.filter((each) => each.vpcId === vpcId).map(({ privateIp }) => privateIp),
  );
  const address = range && nextAddress(range, vpc?.lastAddress, taken);
  if (!address) throw unprocessable("The VPC has no free private IP address left.");
  store.vpcs.patch(vpcId, { lastAddress: address });
  return address;
}
