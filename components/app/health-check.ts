import type * as docker from "@pulumi/docker";
import type { HealthConfig } from "../../infra/config";
import { duration } from "../duration";

/**
 * Swarm's health check of a container: a GET with whatever the image has. Swarm runs it inside the
 * container and knows no HTTP of its own.
 */
export function httpHealthCheck(
  port: number,
  health: HealthConfig,
): docker.types.input.ServiceTaskSpecContainerSpecHealthcheck {
  return {
    tests: [
      "CMD-SHELL",
      httpProbe(`http://127.0.0.1:${port}${health.path}`, health.timeoutSeconds),
    ],
    interval: duration(health.intervalSeconds),
    timeout: duration(health.timeoutSeconds + 1),
    retries: health.retries,
    startPeriod: duration(health.startPeriodSeconds),
  };
}

/** POSIX sh. A quiet image without any of the tools is unhealthy, with the reason as its output. */
function httpProbe(url: string, timeoutSeconds: number): string {
  const quoted = `'${url.replaceAll("'", "%27")}'`;
  const milliseconds = timeoutSeconds * 1000;
  return [
    "has() { command -v $1 >/dev/null 2>&1; }",
    `if has curl; then exec curl -fsS -m ${timeoutSeconds} -o /dev/null ${quoted}; fi`,
    `if has wget; then exec wget -q -T ${timeoutSeconds} -O /dev/null ${quoted}; fi`,
    `if has node; then exec node -e 'fetch(process.argv[1],{signal:AbortSignal.timeout(${milliseconds})}).then(r=>process.exit(r.ok?0:1),e=>{console.error(String(e.cause||e));process.exit(1)})' ${quoted}; fi`,
    `if has python3; then exec python3 -c 'import sys,urllib.request;urllib.request.urlopen(sys.argv[1],timeout=${timeoutSeconds})' ${quoted}; fi`,
    "echo 'archipelago: the image has no curl, wget, node or python3 to check its health with'; exit 1",
  ].join("\n");
}
