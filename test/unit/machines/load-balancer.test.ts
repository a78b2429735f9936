import { renderConfig } from "../../../local/machines/docker/load-balancer/config";
import { parseStats, renderState } from "../../../local/machines/docker/load-balancer/servers";
import type { LoadBalancerSpec } from "../../../local/machines/machines";

const balancer: LoadBalancerSpec = {
  id: "b",
  name: "front",
  vpcId: "v",
  privateIp: "10.0.0.9",
  nodes: 2,
  rules: [
    {
      entryProtocol: "http",
      entryPort: 80,
      targetProtocol: "http",
      targetPort: 8080,
      tlsPassthrough: false,
      certificatePem: undefined,
    },
  ],
  healthCheck: {
    protocol: "http",
    port: 8080,
    path: "/up",
    intervalSeconds: 3,
    timeoutSeconds: 3,
    healthyThreshold: 2,
    unhealthyThreshold: 2,
  },
  algorithm: "least_connections",
  stickyCookie: { name: "DO-LB", ttlSeconds: 300 },
  redirectHttpToHttps: false,
  proxyProtocol: true,
  backendKeepalive: false,
  httpIdleTimeoutSeconds: 60,
  deny: ["203.0.113.7/32"],
  targets: [
    { dropletId: 7, privateIp: "10.0.0.7" },
    { dropletId: 8, privateIp: "10.0.0.8" },
  ],
};

test("a Load Balancer's settings become HAProxy's, and no request is repeated", () => {
  expect(renderConfig(balancer)).toMatchInlineSnapshot(`
   "global
     log stdout format raw local0 notice
     stats socket /run/haproxy.sock mode 600 level admin expose-fd listeners
     server-state-file /etc/haproxy/servers.state
     maxconn 20000
     no strict-limits
     hard-stop-after 60s
   defaults
     load-server-state-from-file global
     timeout connect 5s
     timeout client 60s
     timeout server 60s
     timeout check 3s
     retries 0
   frontend entry-80
     mode http
     bind :80
     tcp-request connection reject if { src 203.0.113.7/32 }
     option forwardfor
     http-request set-header X-Forwarded-Proto http
     http-request set-header X-Forwarded-Port 80
     default_backend port-80
   backend port-80
     mode http
     balance leastconn
     option http-server-close
     cookie DO-LB insert indirect nocache httponly maxlife 300s
     option httpchk
     http-check send meth GET uri /up ver HTTP/1.1 hdr host localhost hdr connection close
     http-check expect status 200-399
     default-server inter 3s rise 2 fall 2
     server droplet-7 10.0.0.7:8080 check port 8080 send-proxy cookie droplet-7
     server droplet-8 10.0.0.8:8080 check port 8080 send-proxy cookie droplet-8
   "
  `);
});

test("without a cookie, health checks by TCP and a TCP rule add nothing of HTTP", () => {
  const config = renderConfig({
    ...balancer,
    stickyCookie: undefined,
    proxyProtocol: false,
    healthCheck: { ...balancer.healthCheck, protocol: "tcp" },
    rules: [{ ...(balancer.rules[0] as (typeof balancer.rules)[0]), entryProtocol: "tcp" }],
  });
  expect(config).not.toMatch(/cookie|http|send-proxy/);
});

test("a reload keeps what is known of servers, and a new one starts without requests", () => {
  const stats = [
    "# pxname,svname,qcur,status,weight,",
    "entry-80,FRONTEND,,OPEN,,",
    "port-80,droplet-7,0,UP 1/2,1,",
    "port-80,droplet-9,0,DOWN 1/2,1,",
    "port-80,BACKEND,0,UP,1,",
    "",
  ].join("\n");
  const known = parseStats(stats);
  expect([...known]).toEqual([
    ["port-80/droplet-7", "up"],
    ["port-80/droplet-9", "down"],
  ]);
  const lines = renderState(balancer, known).trim().split("\n").slice(2);
  // Columns 4 and 6 are name and operating state: 2 runs, 0 is stopped.
  expect(lines.map((line) => line.split(" ")).map((cells) => [cells[3], cells[5]])).toEqual([
    ["droplet-7", "2"],
    ["droplet-8", "0"],
  ]);
});
