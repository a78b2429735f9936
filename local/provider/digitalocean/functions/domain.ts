import { text } from "../../framework/values";
import type { Invoke } from "./lookup";

export const getDomain: Invoke = async (client, args) => {
  const { domain } = await client.get<{
    domain: { name: string; ttl: number; zone_file?: string };
  }>(`/domains/${text(args.name)}`);
  return {
    id: domain.name,
    name: domain.name,
    domainUrn: `do:domain:${domain.name}`,
    ttl: domain.ttl,
    zoneFile: domain.zone_file ?? "",
  };
};
