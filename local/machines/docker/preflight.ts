import { access } from "node:fs/promises";
import type Docker from "dockerode";
import { connectEngine, engineMessage } from "./engine";

/** Kernel parts that machines need, by a path that exists where the kernel has them. */
const KERNEL_PARTS = [
  { path: "/dev/loop-control", lack: "the kernel has no loop devices, which Volumes are made of" },
  {
    path: "/proc/sys/net/bridge/bridge-nf-call-iptables",
    lack: "the kernel does not filter bridged packets; run `modprobe br_netfilter` as root",
  },
] as const;

/**
 * Why machines cannot be real here, in a clause each; empty where they can.
 *
 * @param docker @default the engine that this machine's tools use
 */
export async function preflightReasons(docker: Docker = connectEngine()): Promise<string[]> {
  if (process.platform !== "linux") {
    return [`real machines need Linux (or WSL2, or a Linux VM), and this is ${process.platform}`];
  }
  const remote = process.env.DOCKER_HOST;
  if (remote !== undefined && remote !== "" && !remote.startsWith("unix://")) {
    return [`DOCKER_HOST is ${remote}, and machines need an engine on this very machine`];
  }
  let info: EngineInfo;
  try {
    info = (await docker.info()) as EngineInfo;
  } catch (error) {
    return [`no Docker engine answers: ${engineMessage(error)}`];
  }
  const reasons: string[] = [];
  if (info.OperatingSystem.includes("Docker Desktop")) {
    reasons.push("Docker Desktop runs its engine in another machine, whose addresses are not ours");
  }
  if (info.SecurityOptions.some((option) => option.includes("rootless"))) {
    reasons.push("the Docker engine is rootless and cannot make networks and devices");
  }
  for (const { path, lack } of KERNEL_PARTS) {
    if (!(await exists(path))) reasons.push(lack);
  }
  return reasons;
}

/** All reasons as one clause, undefined where machines can be real. */
export async function preflight(): Promise<string | undefined> {
  const reasons = await preflightReasons();
  return reasons.length === 0 ? undefined : reasons.join("; ");
}

interface EngineInfo {
  readonly OperatingSystem: string;
  readonly SecurityOptions: readonly string[];
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
