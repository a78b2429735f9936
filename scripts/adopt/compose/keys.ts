/** What becomes of every key that a compose file may have: https://docs.docker.com/reference/compose-file/services/ */

/** Turned into something of the stack file, each by its own rules. */
const CONVERTED = [
  "image",
  "build",
  "command",
  "entrypoint",
  "environment",
  "ports",
  "expose",
  "healthcheck",
  "depends_on",
  "volumes",
  "secrets",
  "configs",
  "deploy",
  "scale",
  "cpus",
  "mem_limit",
  "labels",
  "restart",
  "networks",
  "network_mode",
  "logging",
  "stop_grace_period",
  "links",
  "env_file",
  "extends",
  "profiles",
];

/** Archipelago does the same anyway, or the key says nothing about the app. */
const SAME_ANYWAY = [
  "container_name",
  "hostname",
  "init",
  "pull_policy",
  "annotations",
  "attach",
  "develop",
  "stdin_open",
  "tty",
  "platform",
  "label_file",
  "mem_reservation",
  "memswap_limit",
  "mem_swappiness",
  "cpu_shares",
  "cpu_period",
  "cpu_quota",
  "version",
  "oom_score_adj",
];

/** What cannot be kept: why, and what to do. */
export interface Loss {
  readonly why: string;
  readonly todo: string;
}

const IN_IMAGE = "say it in the Dockerfile";
const NO_PRIVILEGES = "a swarm service runs without privileges of the node";

const LOST: Readonly<Record<string, Loss>> = {
  user: { why: "the image's own user is taken", todo: `${IN_IMAGE}: USER` },
  working_dir: { why: "the image's own directory is taken", todo: `${IN_IMAGE}: WORKDIR` },
  stop_signal: { why: "tasks get SIGTERM", todo: `${IN_IMAGE}: STOPSIGNAL` },
  privileged: { why: NO_PRIVILEGES, todo: "leave it out, or run this on a server of its own" },
  cap_add: { why: NO_PRIVILEGES, todo: "leave it out, or run this on a server of its own" },
  cap_drop: {
    why: "Docker's default capabilities are taken",
    todo: "nothing, if the app needs none",
  },
  devices: { why: NO_PRIVILEGES, todo: "run this on a server of its own" },
  gpus: { why: "nodes have no GPU", todo: "run this on a server of its own" },
  security_opt: { why: "Docker's defaults are taken", todo: "nothing, for most apps" },
  read_only: {
    why: "a task may write to its own layer, which is lost with it",
    todo: "nothing, for most apps",
  },
  tmpfs: {
    why: "a task writes to its own layer, which is lost with it all the same",
    todo: "nothing, for most apps",
  },
  shm_size: {
    why: "a task has Docker's 64 MB of shared memory",
    todo: "have the app use /tmp (for Chromium: --disable-dev-shm-usage)",
  },
  ulimits: { why: "the node's limits are taken", todo: "nothing, for most apps" },
  sysctls: { why: "the node's settings are taken", todo: "nothing, for most apps" },
  extra_hosts: {
    why: "names are found by DNS only",
    todo: "give the app the address in a variable, or make a DNS record",
  },
  dns: {
    why: "names are found by the swarm's DNS",
    todo: "nothing, unless the app needs names of a private DNS",
  },
  dns_search: { why: "names are found by the swarm's DNS", todo: "use full names" },
  dns_opt: { why: "names are found by the swarm's DNS", todo: "nothing, for most apps" },
  pid: { why: NO_PRIVILEGES, todo: "run this on a server of its own" },
  ipc: { why: NO_PRIVILEGES, todo: "run this on a server of its own" },
  volumes_from: {
    why: "a directory belongs to one service",
    todo: "keep shared files in the bucket of archipelago:files",
  },
  group_add: { why: "the image's own groups are taken", todo: `${IN_IMAGE}: USER` },
  pids_limit: { why: "the node's limit is taken", todo: "nothing, for most apps" },
  post_start: {
    why: "nothing runs beside a task's own process",
    todo: "do it in the image's entrypoint",
  },
  pre_stop: {
    why: "nothing runs beside a task's own process",
    todo: "have the app do it on SIGTERM",
  },
};

/** At the top of a compose file. What a service uses of them is said with the service. */
const TOP_SILENT = ["name", "version", "networks", "volumes", "secrets", "configs"];

/** @returns why a key of a service cannot be kept; undefined when it is, or when that changes nothing. */
export function lossOf(key: string): Loss | undefined {
  if (key.startsWith("x-") || CONVERTED.includes(key) || SAME_ANYWAY.includes(key))
    return undefined;
  return (
    LOST[key] ?? {
      why: "a service of a stack file has nothing like it",
      todo: "see whether the app needs it; if so, say it in the image",
    }
  );
}

export const isTopSilent = (key: string): boolean =>
  key.startsWith("x-") || TOP_SILENT.includes(key);
