import {
  integer,
  isZero,
  items,
  mapObject,
  members,
  text,
  texts,
  type Values,
} from "../framework/values";
import { nanoseconds } from "./duration";
import { labelMap } from "./labels";

/** Leaves out members that are undefined. */
const defined = (values: Values): Values => mapObject(values, (value) => value);

const orUndefined = <T>(value: T): T | undefined => (isZero(value) ? undefined : value);

/**
 * The Engine API's service spec of a `docker.Service` (K resource_docker_service_structures.go).
 *
 * Faithful in what hurts: without `stopGracePeriod` tasks get none, and a `restartPolicy` without `delay`
 * restarts at once.
 */
export function serviceSpec(inputs: Values): Values {
  return defined({
    Name: text(inputs.name),
    Labels: labelMap(inputs.labels),
    TaskTemplate: taskTemplate(members(inputs.taskSpec)),
    Mode: mode(members(inputs.mode)),
    UpdateConfig: rollout(inputs.updateConfig),
    RollbackConfig: rollout(inputs.rollbackConfig),
    EndpointSpec: endpoint(members(inputs.endpointSpec)),
  });
}

function taskTemplate(task: Values): Values {
  const logDriver = members(task.logDriver);
  return defined({
    ContainerSpec: containerSpec(members(task.containerSpec)),
    Resources: resources(members(task.resources)),
    RestartPolicy: restartPolicy(task.restartPolicy),
    Placement: placement(members(task.placement)),
    ForceUpdate: integer(task.forceUpdate),
    Runtime: orUndefined(text(task.runtime)),
    Networks: items(task.networksAdvanceds).map(members).map(networkAttachment),
    LogDriver: isZero(logDriver)
      ? undefined
      : { Name: text(logDriver.name), Options: members(logDriver.options) },
  });
}

function containerSpec(container: Values): Values {
  const privileges = members(container.privileges);
  const health = members(container.healthcheck);
  const dns = members(container.dnsConfig);
  return defined({
    Image: text(container.image),
    Labels: labelMap(container.labels),
    Command: orUndefined(texts(container.commands)),
    Args: orUndefined(texts(container.args)),
    Hostname: orUndefined(text(container.hostname)),
    Env: Object.entries(members(container.env))
      .map(([name, value]) => `${name}=${text(value)}`)
      .sort(),
    Dir: orUndefined(text(container.dir)),
    User: orUndefined(text(container.user)),
    Groups: orUndefined(texts(container.groups)),
    Privileges: isZero(privileges) ? undefined : privilegesSpec(privileges),
    ReadOnly: orUndefined(container.readOnly),
    Mounts: items(container.mounts).map(members).map(mount),
    StopSignal: orUndefined(text(container.stopSignal)),
    StopGracePeriod: nanoseconds(text(container.stopGracePeriod)),
    Healthcheck: defined({
      Test: orUndefined(texts(health.tests)),
      Interval: orUndefined(nanoseconds(text(health.interval))),
      Timeout: orUndefined(nanoseconds(text(health.timeout))),
      StartPeriod: orUndefined(nanoseconds(text(health.startPeriod))),
      Retries: orUndefined(integer(health.retries)),
    }),
    Hosts: orUndefined(
      items(container.hosts)
        .map(members)
        .map(({ ip, host }) => `${text(ip)} ${text(host)}`),
    ),
    DNSConfig: defined({
      Nameservers: orUndefined(texts(dns.nameservers)),
      Search: orUndefined(texts(dns.searches)),
      Options: orUndefined(texts(dns.options)),
    }),
    Secrets: items(container.secrets).map((file) => fileReference("Secret", members(file))),
    Configs: items(container.configs).map((file) => fileReference("Config", members(file))),
    Isolation: orUndefined(text(container.isolation)),
    Sysctls: orUndefined(members(container.sysctl)),
    CapabilityAdd: orUndefined(texts(container.capAdds)),
    CapabilityDrop: orUndefined(texts(container.capDrops)),
    Init: container.init === true,
  });
}

function privilegesSpec({ credentialSpec, seLinuxContext }: Values): Values {
  const [credentials, context] = [members(credentialSpec), members(seLinuxContext)];
  return defined({
    CredentialSpec: isZero(credentials)
      ? undefined
      : defined({ File: credentials.file, Registry: credentials.registry }),
    SELinuxContext: isZero(context)
      ? undefined
      : defined({
          Disable: context.disable,
          User: context.user,
          Role: context.role,
          Type: context.type,
          Level: context.level,
        }),
  });
}

function mount(one: Values): Values {
  const volume = members(one.volumeOptions);
  const driver =
    isZero(volume.driverName) && isZero(volume.driverOptions)
      ? undefined
      : { Name: text(volume.driverName), Options: members(volume.driverOptions) };
  const tmpfs = members(one.tmpfsOptions);
  return defined({
    Type: text(one.type),
    Target: text(one.target),
    Source: orUndefined(text(one.source)),
    ReadOnly: orUndefined(one.readOnly),
    BindOptions: isZero(one.bindOptions)
      ? undefined
      : { Propagation: text(members(one.bindOptions).propagation) },
    VolumeOptions: isZero(volume)
      ? undefined
      : defined({
          NoCopy: volume.noCopy === true,
          Labels: labelMap(volume.labels),
          DriverConfig: driver,
        }),
    TmpfsOptions: isZero(tmpfs)
      ? undefined
      : { SizeBytes: integer(tmpfs.sizeBytes), Mode: integer(tmpfs.mode) },
  });
}

function fileReference(kind: "Secret" | "Config", file: Values): Values {
  const prefix = kind.toLowerCase();
  return {
    [`${kind}ID`]: text(file[`${prefix}Id`]),
    [`${kind}Name`]: text(file[`${prefix}Name`]),
    File: {
      Name: text(file.fileName),
      UID: text(file.fileUid),
      GID: text(file.fileGid),
      Mode: integer(file.fileMode),
    },
  };
}

function resources({ limits, reservation }: Values): Values {
  const amounts = (value: unknown): Values => ({
    NanoCPUs: integer(members(value).nanoCpus),
    MemoryBytes: integer(members(value).memoryBytes),
  });
  const generic = members(members(reservation).genericResources);
  const pairs = (value: unknown): [string, string][] =>
    texts(value).map((pair) => [pair.split("=")[0] ?? "", pair.split("=").slice(1).join("=")]);
  return defined({
    Limits: isZero(limits) ? undefined : amounts(limits),
    Reservations: isZero(reservation)
      ? undefined
      : {
          ...amounts(reservation),
          GenericResources: [
            ...pairs(generic.namedResourcesSpecs).map(([Kind, Value]) => ({
              NamedResourceSpec: { Kind, Value },
            })),
            ...pairs(generic.discreteResourcesSpecs).map(([Kind, Value]) => ({
              DiscreteResourceSpec: { Kind, Value: Number(Value) },
            })),
          ],
        },
  });
}

function restartPolicy(value: unknown): Values {
  if (isZero(value)) {
    return {};
  }
  const policy = members(value);
  return {
    Condition: text(policy.condition),
    Delay: nanoseconds(text(policy.delay)),
    MaxAttempts: integer(policy.maxAttempts),
    Window: nanoseconds(text(policy.window)),
  };
}

function placement({ constraints, prefs, maxReplicas, platforms }: Values): Values {
  return defined({
    Constraints: orUndefined(texts(constraints)),
    Preferences: orUndefined(
      texts(prefs).map((descriptor) => ({ Spread: { SpreadDescriptor: descriptor } })),
    ),
    MaxReplicas: orUndefined(integer(maxReplicas)),
    Platforms: orUndefined(
      items(platforms)
        .map(members)
        .map(({ architecture, os }) => ({ Architecture: text(architecture), OS: text(os) })),
    ),
  });
}

function networkAttachment({ id, name, aliases, driverOpts }: Values): Values {
  const target = text(id) || text(name);
  if (!target) {
    throw new Error("network 'name' or 'id' must be specified");
  }
  const options = texts(driverOpts).map((pair): [string, string] => {
    const [key = "", ...value] = pair.split("=");
    return [key, value.join("=")];
  });
  return defined({
    Target: target,
    Aliases: orUndefined(texts(aliases)),
    DriverOpts: orUndefined(Object.fromEntries(options)),
  });
}

function mode({ replicated, global }: Values): Values {
  if (global === true) {
    return { Global: {} };
  }
  return { Replicated: { Replicas: integer(members(replicated).replicas ?? 1) } };
}

function rollout(value: unknown): Values | undefined {
  if (isZero(value)) {
    return undefined;
  }
  const config = members(value);
  return {
    Parallelism: integer(config.parallelism),
    Delay: nanoseconds(text(config.delay)),
    FailureAction: text(config.failureAction),
    Monitor: nanoseconds(text(config.monitor)),
    MaxFailureRatio: Number(text(config.maxFailureRatio)),
    Order: text(config.order),
  };
}

function endpoint({ mode: resolution, ports }: Values): Values {
  return defined({
    Mode: orUndefined(text(resolution)),
    Ports: items(ports)
      .map(members)
      .map((port) =>
        defined({
          Name: orUndefined(text(port.name)),
          Protocol: text(port.protocol),
          TargetPort: integer(port.targetPort),
          PublishedPort: orUndefined(integer(port.publishedPort)),
          PublishMode: text(port.publishMode),
        }),
      ),
  });
}
