import type { LoadBalancerSpec } from "../../machines";
import { serverName } from "./config";

/**
 * HAProxy's record of its targets' health for the process that comes next: those it knows keep theirs, and
 * new ones are down until their checks have passed, instead of getting requests that they cannot answer yet.
 *
 * @param known what `show servers state health` says now; empty when nothing runs.
 */
export function serverState(balancer: LoadBalancerSpec, known: string): string {
  const lines = new Map(
    known
      .split("\n")
      .map((line) => line.split(" "))
      .filter((fields) => fields.length > 10)
      .map((fields) => [`${fields[3]} ${fields[4]}`, fields.join(" ")]),
  );
  const { port } = balancer.healthCheck;
  const state = balancer.targets.map(({ dropletId, privateIp }, index) => {
    const name = serverName(dropletId);
    const down = `2 health ${index + 1} ${name} ${privateIp} 0 0 1 1 0 6 0 0 6 0 0 0 - ${port} - 0 0 - - 0`;
    return lines.get(`${name} ${privateIp}`) ?? down;
  });
  return `${["1", STATE_HEADER, ...state].join("\n")}\n`;
}

/** https://docs.haproxy.org/2.6/management.html, "show servers state" */
const STATE_HEADER =
  "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight " +
  "srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state " +
  "srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl " +
  "srv_check_port srv_check_addr srv_agent_addr srv_agent_port";

/** Health of each target in what `show servers state health` says. */
export function targetHealth(shown: string): Map<number, "up" | "down"> {
  const health = new Map<number, "up" | "down">();
  for (const line of shown.split("\n")) {
    const [, backend, , server = "", , state] = line.split(" ");
    const id = /^droplet-(\d+)$/.exec(server)?.[1];
    // 2: running; 0: stopped, 1: starting, 3: stopping.
    if (backend === "health" && id !== undefined) {
      health.set(Number(id), state === "2" ? "up" : "down");
    }
  }
  return health;
}
