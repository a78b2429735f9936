import type { CheckFailure } from "../framework/check";
import type { ProviderType } from "../framework/provider";
import { isObject, text, UNKNOWN, type Values } from "../framework/values";
import { DockerClient } from "./client";
import { remoteImage } from "./image";
import { network } from "./network";
import { registryImage } from "./registry-image";
import { secret, serviceConfig } from "./secret";
import { service } from "./service";

/** The version whose SDK (`@pulumi/docker`) the program uses. */
export const VERSION = "5.2.0";

function faults(config: Values): CheckFailure[] {
  const { host } = config;
  if (host === undefined || host === null || host === UNKNOWN || host === "" || isObject(host)) {
    return [];
  }
  return /^(ssh|unix|tcp|http):\/\//.test(text(host))
    ? []
    : [
        {
          property: "host",
          reason: `host must start with ssh://, unix:// or tcp://, got ${text(host)}`,
        },
      ];
}

/** Stands in for the provider plugin `docker`: the resource types this project uses. */
export const docker: ProviderType<DockerClient> = {
  name: "docker",
  version: VERSION,
  checkConfig: faults,
  configure: (config, signal) => new DockerClient(config, signal),
  resources: {
    "docker:index/network:Network": network,
    "docker:index/secret:Secret": secret,
    "docker:index/serviceConfig:ServiceConfig": serviceConfig,
    "docker:index/service:Service": service,
    "docker:index/remoteImage:RemoteImage": remoteImage,
    "docker:index/registryImage:RegistryImage": registryImage,
  },
  functions: {},
};
