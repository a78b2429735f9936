import type { LoadBalancerSpec } from "../../machines";
import { backendName, serverName } from "./config";

/** Health of each server by `<backend>/<server>`, from HAProxy's `show stat` (CSV). */
export function parseStats(csv: string): Map<string, "up" | "down"> {
  const [head = "", ...rows] = csv.trim().split("\n");
  const columns = head.replace(/^# /, "").split(",");
  const [name, server, status] = ["pxname", "svname", "status"].map((key) => columns.indexOf(key));
  if (name === undefined || server === undefined || status === undefined) return new Map();
  return new Map(
    rows
      .map((row) => row.split(","))
      .filter((cells) => cells[server]?.startsWith("droplet-"))
      // `UP 1/2` is on its way down, and up until then.
      .map((cells) => [
        `${cells[name]}/${cells[server]}`,
        cells[status]?.startsWith("UP") ? "up" : "down",
      ]),
  );
}

/** SRV_ST_RUNNING and SRV_ST_STOPPED of HAProxy's state files. */
const OPERATING = { up: 2, down: 0 } as const;

/**
 * What a starting HAProxy reads about its servers (format 1, `show servers state`): those it knew stay as they
 * were, and a new one has to pass its checks before it gets requests. By itself HAProxy begins with all of them up.
 */
export function renderState(
  balancer: LoadBalancerSpec,
  known: ReadonlyMap<string, "up" | "down">,
): string {
  const columns =
    "be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight " +
    "srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state " +
    "srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl " +
    "srv_check_port srv_check_addr srv_agent_addr srv_agent_port";
  const { healthyThreshold, unhealthyThreshold, port } = balancer.healthCheck;
  const lines = balancer.rules.flatMap((rule, backend) =>
    balancer.targets.map(({ dropletId, privateIp }, server) => {
      const name = serverName(dropletId);
      const state = known.get(`${backendName(rule)}/${name}`) ?? "down";
      // A health below `rise` is down; the highest one is up with no failed check.
      const health = state === "up" ? healthyThreshold + unhealthyThreshold - 1 : 0;
      const result = state === "up" ? "15 3" : "8 2";
      return `${backend + 1} ${backendName(rule)} ${server + 1} ${name} ${privateIp} ${OPERATING[state]} 0 1 1 0 ${result} ${health} 6 0 0 0 - ${rule.targetPort} - 0 ${port} - - 0`;
    }),
  );
  return ["1", `# ${columns}`, ...lines, ""].join("\n");
}
