import { items, mapObject, members, text, type Values } from "../framework/values";
import { duration } from "./duration";
import { labelList } from "./labels";

/** Leaves out members that are undefined. */
const defined = (values: Values): Values => mapObject(values, (value) => value);

const time = (value: unknown): string | undefined =>
  typeof value === "number" ? duration(value) : undefined;

/** A map of text as the API gives it. */
const labels = (value: unknown): Values[] => labelList(members(value) as Record<string, string>);

/**
 * The properties of a live service, given the Engine API's answer: the reverse of `serviceSpec`, so that a
 * refresh shows what somebody changed by hand. `undefined` while the endpoint is not known yet.
 */
export function serviceState(service: Values): Values | undefined {
  const spec = members(service.Spec);
  const endpoint = endpointState(members(spec.EndpointSpec), members(service.Endpoint));
  if (!endpoint) {
    return undefined;
  }
  return {
    name: spec.Name,
    labels: labels(spec.Labels),
    taskSpec: taskState(members(spec.TaskTemplate)),
    mode: modeState(members(spec.Mode)),
    updateConfig: rolloutState(spec.UpdateConfig),
    rollbackConfig: rolloutState(spec.RollbackConfig),
    endpointSpec: endpoint,
  };
}

function endpointState(spec: Values, live: Values): Values | undefined {
  const mode = text(spec.Mode) || text(members(live.Spec).Mode);
  if (!mode) {
    return undefined;
  }
  const published = items(live.Ports).map(members);
  const ports = items(spec.Ports)
    .map(members)
    .map((port) => ({
      name: text(port.Name),
      protocol: port.Protocol,
      targetPort: port.TargetPort,
      publishedPort:
        port.PublishedPort ??
        published.find(
          (one) => one.TargetPort === port.TargetPort && one.Protocol === port.Protocol,
        )?.PublishedPort,
      publishMode: port.PublishMode,
    }));
  return { mode, ports: ports.map(defined) };
}

function modeState({ Replicated, Global }: Values): Values {
  return defined({
    replicated: Replicated ? { replicas: members(Replicated).Replicas ?? 1 } : undefined,
    global: Global !== undefined && Global !== null,
  });
}

function rolloutState(value: unknown): Values | undefined {
  if (!value) {
    return undefined;
  }
  const config = members(value);
  return {
    parallelism: config.Parallelism ?? 0,
    delay: time(config.Delay ?? 0),
    failureAction: config.FailureAction,
    monitor: time(config.Monitor ?? 0),
    maxFailureRatio: Number(config.MaxFailureRatio ?? 0).toFixed(1),
    order: config.Order,
  };
}

function taskState(task: Values): Values {
  const driver = members(task.LogDriver);
  return defined({
    containerSpec: containerState(members(task.ContainerSpec)),
    resources: task.Resources ? resourcesState(members(task.Resources)) : undefined,
    restartPolicy: task.RestartPolicy ? restartState(members(task.RestartPolicy)) : undefined,
    placement: task.Placement ? placementState(members(task.Placement)) : undefined,
    forceUpdate: task.ForceUpdate ?? 0,
    runtime: task.Runtime,
    networksAdvanceds: items(task.Networks)
      .map(members)
      .map((network) =>
        defined({
          id: network.Target,
          aliases: network.Aliases ?? undefined,
          driverOpts: Object.entries(members(network.DriverOpts)).map(
            ([key, value]) => `${key}=${text(value)}`,
          ),
        }),
      ),
    logDriver: task.LogDriver
      ? defined({ name: driver.Name, options: driver.Options ?? undefined })
      : undefined,
  });
}

function restartState(policy: Values): Values {
  return defined({
    condition: policy.Condition,
    delay: time(policy.Delay),
    maxAttempts: policy.MaxAttempts,
    window: time(policy.Window),
  });
}

function placementState(placement: Values): Values {
  return defined({
    constraints: placement.Constraints ?? undefined,
    prefs: items(placement.Preferences).map(
      (preference) => members(members(preference).Spread).SpreadDescriptor,
    ),
    platforms: items(placement.Platforms)
      .map(members)
      .map(({ Architecture, OS }) => ({ architecture: text(Architecture), os: text(OS) })),
    maxReplicas: placement.MaxReplicas ?? 0,
  });
}

function resourcesState({ Limits, Reservations }: Values): Values {
  const amounts = (value: unknown): Values => ({
    nanoCpus: members(value).NanoCPUs ?? 0,
    memoryBytes: members(value).MemoryBytes ?? 0,
  });
  const generic = items(members(Reservations).GenericResources).map(members);
  const pairs = (kind: string): string[] =>
    generic
      .map((one) => members(one[kind]))
      .filter((one) => one.Kind !== undefined)
      .map(({ Kind, Value }) => `${text(Kind)}=${text(Value)}`);
  return defined({
    limits: Limits ? amounts(Limits) : undefined,
    reservation: Reservations
      ? defined({
          ...amounts(Reservations),
          genericResources:
            generic.length > 0
              ? {
                  namedResourcesSpecs: pairs("NamedResourceSpec"),
                  discreteResourcesSpecs: pairs("DiscreteResourceSpec"),
                }
              : undefined,
        })
      : undefined,
  });
}

function containerState(container: Values): Values {
  const health = members(container.Healthcheck);
  const dns = members(container.DNSConfig);
  return defined({
    image: container.Image,
    labels: labels(container.Labels),
    commands: container.Command ?? undefined,
    args: container.Args ?? undefined,
    hostname: container.Hostname,
    env: Object.fromEntries(
      items(container.Env).map((pair) => {
        const [name = "", ...value] = text(pair).split("=");
        return [name, value.join("=")];
      }),
    ),
    user: container.User,
    dir: container.Dir,
    groups: container.Groups ?? undefined,
    privileges: container.Privileges ? privilegesState(members(container.Privileges)) : undefined,
    readOnly: container.ReadOnly,
    mounts: items(container.Mounts).map(members).map(mountState),
    stopSignal: container.StopSignal,
    stopGracePeriod: time(container.StopGracePeriod),
    healthcheck: container.Healthcheck
      ? defined({
          tests: health.Test ?? undefined,
          interval: time(health.Interval ?? 0),
          timeout: time(health.Timeout ?? 0),
          startPeriod: time(health.StartPeriod ?? 0),
          retries: health.Retries ?? 0,
        })
      : undefined,
    hosts: items(container.Hosts).map((line) => {
      const [ip = "", host = ""] = text(line).split(" ");
      return { ip, host };
    }),
    dnsConfig: container.DNSConfig
      ? defined({
          nameservers: dns.Nameservers ?? undefined,
          searches: dns.Search ?? undefined,
          options: dns.Options ?? undefined,
        })
      : undefined,
    secrets: items(container.Secrets).map((file) => fileState("Secret", members(file))),
    configs: items(container.Configs).map((file) => fileState("Config", members(file))),
    isolation: container.Isolation,
    sysctl: container.Sysctls ?? undefined,
    capAdds: container.CapabilityAdd ?? undefined,
    capDrops: container.CapabilityDrop ?? undefined,
    init: container.Init ?? undefined,
  });
}

function privilegesState({ CredentialSpec, SELinuxContext }: Values): Values {
  const [credentials, context] = [members(CredentialSpec), members(SELinuxContext)];
  return defined({
    credentialSpec: CredentialSpec
      ? { file: text(credentials.File), registry: text(credentials.Registry) }
      : undefined,
    seLinuxContext: SELinuxContext
      ? defined({
          disable: context.Disable,
          user: context.User,
          role: context.Role,
          type: context.Type,
          level: context.Level,
        })
      : undefined,
  });
}

function mountState(mount: Values): Values {
  const volume = members(mount.VolumeOptions);
  const driver = members(volume.DriverConfig);
  const tmpfs = members(mount.TmpfsOptions);
  return defined({
    target: mount.Target,
    source: text(mount.Source),
    type: mount.Type,
    readOnly: mount.ReadOnly === true,
    bindOptions: mount.BindOptions
      ? defined({ propagation: members(mount.BindOptions).Propagation })
      : undefined,
    volumeOptions: mount.VolumeOptions
      ? defined({
          noCopy: volume.NoCopy === true,
          labels: labels(volume.Labels),
          driverName: driver.Name,
          driverOptions: driver.Options ?? undefined,
        })
      : undefined,
    tmpfsOptions: mount.TmpfsOptions
      ? { sizeBytes: tmpfs.SizeBytes ?? 0, mode: tmpfs.Mode ?? 0 }
      : undefined,
  });
}

function fileState(kind: "Secret" | "Config", reference: Values): Values {
  const file = members(reference.File);
  const prefix = kind.toLowerCase();
  return defined({
    [`${prefix}Id`]: reference[`${kind}ID`],
    [`${prefix}Name`]: reference[`${kind}Name`],
    fileName: file.Name,
    fileUid: file.UID,
    fileGid: file.GID,
    fileMode: file.Mode,
  });
}
