import type { NetworkInspectInfo } from "dockerode";
import type { ResourceType } from "../framework/provider";
import { boolean, map, object, set, string } from "../framework/schema";
import { isZero, items, mapObject, members, text, type Values } from "../framework/values";
import type { DockerClient } from "./client";
import { found, messageOf } from "./engine-error";
import { labelList, labelMap, labelSet } from "./labels";
import { poll } from "./poll";

/** Tasks leave a network a little after their service (K resource_docker_network_funcs.go: 30 s). */
const REMOVE_TIMEOUT_MS = 30 * 1000;

const replace = { replace: true } as const;
const computed = { replace: true, computed: true } as const;

function ipam(inputs: Values): Values {
  return {
    Driver: text(inputs.ipamDriver),
    ...(isZero(inputs.ipamOptions) ? {} : { Options: inputs.ipamOptions }),
    ...(isZero(inputs.ipamConfigs)
      ? {}
      : {
          Config: items(inputs.ipamConfigs)
            .map(members)
            .map(({ subnet, ipRange, gateway, auxAddress }) =>
              mapObject(
                {
                  Subnet: subnet,
                  IPRange: ipRange,
                  Gateway: gateway,
                  AuxiliaryAddresses: auxAddress,
                },
                (value) => value,
              ),
            ),
        }),
  };
}

function existing(network: NetworkInspectInfo) {
  const { Driver, Config, Options } = network.IPAM ?? {};
  return {
    id: network.Id,
    state: {
      name: network.Name,
      labels: labelList(network.Labels),
      driver: network.Driver,
      internal: network.Internal,
      attachable: network.Attachable,
      ingress: network.Ingress,
      ipv6: network.EnableIPv6,
      ipamDriver: Driver,
      ipamOptions: Options ?? {},
      options: network.Options ?? {},
      scope: network.Scope,
      ipamConfigs: ((Config ?? []) as unknown as Values[]).map((config) =>
        mapObject(
          {
            subnet: config.Subnet,
            ipRange: config.IPRange,
            gateway: config.Gateway,
            auxAddress: config.AuxiliaryAddresses,
          },
          (value) => value,
        ),
      ),
    },
  };
}

export const network: ResourceType<DockerClient> = {
  inputs: {
    name: string(replace),
    labels: labelSet(replace),
    driver: string(computed),
    options: map(string(), computed),
    internal: boolean(computed),
    attachable: boolean(replace),
    ingress: boolean(replace),
    ipv6: boolean(replace),
    ipamDriver: string({ replace: true, default: "default" }),
    ipamOptions: map(string(), replace),
    ipamConfigs: set(
      object({
        subnet: string(replace),
        ipRange: string(replace),
        gateway: string(replace),
        auxAddress: map(string(), replace),
      }),
      computed,
    ),
  },
  outputs: ["scope"],
  autoname: true,
  async create(client, inputs, creation) {
    const engine = await client.engine();
    const made = await engine.createNetwork({
      Name: text(inputs.name),
      Labels: labelMap(inputs.labels),
      ...(inputs.driver ? { Driver: text(inputs.driver) } : {}),
      ...(isZero(inputs.options) ? {} : { Options: inputs.options as Record<string, string> }),
      Internal: inputs.internal === true,
      Attachable: inputs.attachable === true,
      Ingress: inputs.ingress === true,
      EnableIPv6: inputs.ipv6 === true,
      IPAM: ipam(inputs),
    });
    creation.exists(made.id);
    return existing(await made.inspect());
  },
  async read(client, id) {
    const engine = await client.engine();
    const there = await found<NetworkInspectInfo>(engine.getNetwork(id).inspect());
    return there && existing(there);
  },
  async delete(client, id) {
    const engine = await client.engine();
    let last: unknown;
    const removed = await poll(REMOVE_TIMEOUT_MS, client.signal, async () => {
      try {
        await found(engine.getNetwork(id).remove());
        return true;
      } catch (error) {
        if (!/has active endpoints|is in use/.test(messageOf(error))) {
          throw error;
        }
        last = error;
        return undefined;
      }
    });
    if (!removed) {
      throw last;
    }
  },
};
