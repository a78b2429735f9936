import {
  boolean,
  list,
  map,
  number,
  object,
  set,
  string,
  type Field,
  type Fields,
} from "../framework/schema";
import { labelSet } from "./labels";

const replace = { replace: true } as const;
const computed = { computed: true } as const;
const strings = (): Field => list(string());

/** 0o444: the mode of secret and config files when none is given. */
const READABLE = 0o444;

const mountedFile = (kind: "secret" | "config"): Field =>
  set(
    object({
      [`${kind}Id`]: string({ required: true }),
      [`${kind}Name`]: string(),
      fileName: string({ required: true }),
      fileUid: string({ default: "0" }),
      fileGid: string({ default: "0" }),
      fileMode: number({ default: READABLE }),
    }),
  );

const mount = object({
  target: string({ required: true }),
  source: string(),
  type: string({ required: true }),
  readOnly: boolean(),
  bindOptions: object({ propagation: string() }),
  volumeOptions: object({
    noCopy: boolean(),
    labels: labelSet({ keep: true }),
    driverName: string(),
    driverOptions: map(string()),
  }),
  tmpfsOptions: object({ sizeBytes: number(), mode: number() }),
});

const containerSpec = object(
  {
    image: string({ required: true }),
    labels: labelSet(),
    commands: strings(),
    args: strings(),
    hostname: string(),
    env: map(string()),
    dir: string(),
    user: string(),
    groups: strings(),
    privileges: object({
      credentialSpec: object({ file: string(), registry: string() }),
      seLinuxContext: object({
        disable: boolean(),
        user: string(),
        role: string(),
        type: string(),
        level: string(),
      }),
    }),
    readOnly: boolean(),
    mounts: set(mount),
    stopSignal: string(),
    stopGracePeriod: string(computed),
    healthcheck: object(
      {
        tests: strings(),
        interval: string({ default: "0s" }),
        timeout: string({ default: "0s" }),
        startPeriod: string({ default: "0s" }),
        retries: number({ default: 0 }),
      },
      computed,
    ),
    hosts: set(
      object({
        host: string({ required: true, replace: true }),
        ip: string({ required: true, replace: true }),
      }),
      replace,
    ),
    dnsConfig: object(
      { nameservers: list(string(), { required: true }), searches: strings(), options: strings() },
      computed,
    ),
    secrets: mountedFile("secret"),
    configs: mountedFile("config"),
    isolation: string({ default: "default" }),
    sysctl: map(string(), replace),
    capAdds: strings(),
    capDrops: strings(),
    init: boolean(),
  },
  { required: true },
);

const amounts = { nanoCpus: number(), memoryBytes: number() };

const taskSpec = object(
  {
    containerSpec,
    resources: object(
      {
        limits: object(amounts),
        reservation: object({
          ...amounts,
          genericResources: object({
            namedResourcesSpecs: set(string()),
            discreteResourcesSpecs: set(string()),
          }),
        }),
      },
      computed,
    ),
    restartPolicy: object(
      { condition: string(), delay: string(), maxAttempts: number(), window: string() },
      computed,
    ),
    placement: object(
      {
        constraints: set(string()),
        prefs: set(string()),
        maxReplicas: number(),
        platforms: set(
          object({ architecture: string({ required: true }), os: string({ required: true }) }),
        ),
      },
      computed,
    ),
    forceUpdate: number(computed),
    runtime: string(computed),
    networksAdvanceds: set(
      object({
        id: string(replace),
        name: string(replace),
        aliases: set(string(), replace),
        driverOpts: set(string(), replace),
      }),
    ),
    logDriver: object({ name: string({ required: true }), options: map(string()) }),
  },
  { required: true },
);

const rollout = (): Field =>
  object({
    parallelism: number({ default: 1 }),
    delay: string({ default: "0s" }),
    failureAction: string({ default: "pause" }),
    monitor: string({ default: "5s" }),
    maxFailureRatio: string({ default: "0.0" }),
    order: string({ default: "stop-first" }),
  });

/** Inputs of `docker.Service`, with what replaces and what is filled in (K resource_docker_service.go). */
export const serviceFields: Fields = {
  name: string(replace),
  auth: object(
    {
      serverAddress: string({ required: true, replace: true }),
      username: string({ replace: true, default: () => process.env.DOCKER_REGISTRY_USER }),
      password: string({
        replace: true,
        secret: true,
        default: () => process.env.DOCKER_REGISTRY_PASS,
      }),
    },
    replace,
  ),
  labels: labelSet({ computed: true, keep: true }),
  taskSpec,
  mode: object(
    {
      replicated: object({ replicas: number({ default: 1 }) }, computed),
      global: boolean({ default: false }),
    },
    { computed: true, replace: true },
  ),
  updateConfig: rollout(),
  rollbackConfig: rollout(),
  endpointSpec: object(
    {
      mode: string(computed),
      ports: list(
        object({
          name: string(),
          protocol: string({ default: "tcp" }),
          targetPort: number({ required: true }),
          publishedPort: number(computed),
          publishMode: string({ default: "ingress" }),
        }),
      ),
    },
    computed,
  ),
  convergeConfig: object({
    delay: string({ default: "7s" }),
    timeout: string({ default: "3m" }),
  }),
};
