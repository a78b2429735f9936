import { text } from "../../framework/values";
import type { ApiReservedIp } from "../resources/reserved-ip";
import type { Invoke } from "./lookup";

export const getReservedIp: Invoke = async (client, args) => {
  const ip = text(args.ipAddress);
  const { reserved_ip: found } = await client.get<{ reserved_ip: ApiReservedIp }>(
    `/reserved_ips/${ip}`,
  );
  return {
    id: found.ip,
    ipAddress: found.ip,
    region: (found.droplet ?? found).region.slug,
    urn: `do:reservedip:${found.ip}`,
    dropletId: found.droplet?.id ?? 0,
  };
};
