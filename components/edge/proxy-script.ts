import { drainingFile, startedFile } from "./node-state";

/** Notes, once, when draining began: from then on the node fails its health check, and goes on serving. */
const beginDraining = (runDir: string) =>
  `[ -s ${drainingFile(runDir)} ] || date +%s > ${drainingFile(runDir)}`;

/** Run in the proxy's container, it makes the Load Balancer send its requests elsewhere. Safe to run again. */
export const drainCommand = (runDir: string) => ["sh", "-c", beginDraining(runDir)];

/**
 * What the proxy's container runs, for any POSIX shell: waits for the agent's first configuration, then starts HAProxy
 * in master-worker mode and stays its parent. An old server state is dropped: those addresses may belong to other
 * containers by now.
 *
 * SIGTERM: fail the health check, serve on until `noticeSeconds` have passed since that began, then soft-stop HAProxy
 * (take no new connection, finish what is in flight) and end with it.
 */
export function proxyScript(runDir: string, noticeSeconds: number): string {
  return [
    "trap 'exit 0' USR1 TERM INT",
    `rm -f ${runDir}/server-state ${drainingFile(runDir)}`,
    `until [ -s ${runDir}/haproxy.cfg ]; do sleep 0.2; done`,
    `date +%s > ${startedFile(runDir)}`,
    `haproxy -W -db -S unix@${runDir}/master.sock,mode,600 -f ${runDir}/haproxy.cfg &`,
    "proxy=$!",
    "stop() {",
    `  ${beginDraining(runDir)}`,
    `  left=$(($(cat ${drainingFile(runDir)}) + ${noticeSeconds} - $(date +%s)))`,
    '  if [ "$left" -gt 0 ]; then sleep "$left"; fi',
    "  kill -USR1 $proxy",
    "}",
    "trap stop USR1 TERM INT",
    // A signal ends `wait`, not HAProxy.
    "while kill -0 $proxy 2>/dev/null; do wait $proxy; code=$?; done",
    "exit $code",
  ].join("\n");
}
