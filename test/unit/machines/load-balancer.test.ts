import { balancerFiles } from "../../../local/machines/docker/load-balancer/config";
import { serverState, targetHealth } from "../../../local/machines/docker/load-balancer/servers";
import type { ForwardingRuleSpec, LoadBalancerSpec } from "../../../local/machines/machines";

const rule = (
  entryProtocol: ForwardingRuleSpec["entryProtocol"],
  entryPort: number,
  more: Partial<ForwardingRuleSpec> = {},
): ForwardingRuleSpec => ({
  entryProtocol,
  entryPort,
  targetProtocol: entryProtocol === "tcp" ? "tcp" : "http",
  targetPort: 8080,
  tlsPassthrough: false,
  certificatePem: undefined,
  ...more,
});

const balancer: LoadBalancerSpec = {
  id: "b",
  name: "front",
  vpcId: "v",
  privateIp: "10.0.0.9",
  nodes: 2,
  rules: [rule("http", 80), rule("https", 443, { certificatePem: "KEY AND CERTIFICATE" })],
  healthCheck: {
    protocol: "http",
    port: 8081,
    path: "/up",
    intervalSeconds: 3,
    timeoutSeconds: 3,
    healthyThreshold: 2,
    unhealthyThreshold: 4,
  },
  algorithm: "least_connections",
  stickyCookie: { name: "DO-LB", ttlSeconds: 300 },
  redirectHttpToHttps: true,
  proxyProtocol: false,
  backendKeepalive: false,
  httpIdleTimeoutSeconds: 60,
  deny: ["203.0.113.7/32"],
  targets: [
    { dropletId: 7, privateIp: "10.0.0.7" },
    { dropletId: 8, privateIp: "10.0.0.8" },
  ],
};

/** The text of `haproxy.cfg`. */
function config(change: Partial<LoadBalancerSpec> = {}): string {
  const [file] = balancerFiles({ ...balancer, ...change }).files;
  return String(file?.content);
}

const section = (text: string, head: string) =>
  text
    .split("\n\n")
    .find((part) => part.startsWith(head))
    ?.trim()
    .split("\n")
    .map((line) => line.trim())
    .slice(1);

describe("a Load Balancer's settings become HAProxy's", () => {
  it("with headers, cookie, redirect and TLS, and no request is repeated", () => {
    expect(config()).toMatchInlineSnapshot(`
     "global
       description 4259d4bd03b11b90
       default-path config
       stats socket /run/haproxy.sock mode 600 level admin expose-fd listeners
       server-state-file /etc/archipelago/balancer/servers.state
       user haproxy
       group haproxy
       maxconn 20000
       no strict-limits
       nbthread 2
       mworker-max-reloads 50
       tune.ssl.default-dh-param 2048
       ssl-default-bind-options ssl-min-ver TLSv1.2
       ssl-default-server-options ssl-min-ver TLSv1.2

     defaults
       mode http
       load-server-state-from-file global
       retries 0
       timeout connect 5s
       timeout queue 5s
       timeout client 60s
       timeout server 60s
       timeout tunnel 60s
       timeout http-request 60s
       timeout http-keep-alive 60s
       option idle-close-on-response
       option http-server-close

     backend health
       option httpchk
       http-check send meth GET uri '/up' ver HTTP/1.1 hdr host localhost hdr connection close
       timeout check 3s
       server droplet-7 10.0.0.7:8081 check inter 3s rise 2 fall 4
       server droplet-8 10.0.0.8:8081 check inter 3s rise 2 fall 4

     frontend entry-80
       bind :80
       tcp-request connection reject if { src 203.0.113.7/32 }
       http-request redirect scheme https code 307
       option forwardfor
       http-request set-header X-Forwarded-Proto http
       http-request set-header X-Forwarded-Port 80
       default_backend targets-80

     backend targets-80
       balance leastconn
       cookie 'DO-LB' insert indirect nocache httponly attr "Max-Age=300"
       server droplet-7 10.0.0.7:8080 track health/droplet-7 cookie droplet-7
       server droplet-8 10.0.0.8:8080 track health/droplet-8 cookie droplet-8

     frontend entry-443
       bind :443 ssl crt 443.pem alpn http/1.1
       tcp-request connection reject if { src 203.0.113.7/32 }
       option forwardfor
       http-request set-header X-Forwarded-Proto https
       http-request set-header X-Forwarded-Port 443
       default_backend targets-443

     backend targets-443
       balance leastconn
       cookie 'DO-LB' insert indirect nocache httponly attr "Max-Age=300"
       server droplet-7 10.0.0.7:8080 track health/droplet-7 cookie droplet-7
       server droplet-8 10.0.0.8:8080 track health/droplet-8 cookie droplet-8
     "
    `);
  });

  it("and bytes are passed on unread where TLS or TCP belongs to the targets", () => {
    const text = config({
      rules: [
        rule("tcp", 25),
        rule("https", 443, { targetProtocol: "https", tlsPassthrough: true }),
      ],
    });
    for (const port of [25, 443]) {
      expect(section(text, `frontend entry-${port}`)).toEqual([
        `bind :${port}`,
        "tcp-request connection reject if { src 203.0.113.7/32 }",
        "mode tcp",
        `default_backend targets-${port}`,
      ]);
      expect(section(text, `backend targets-${port}`)).toEqual([
        "mode tcp",
        "balance leastconn",
        "server droplet-7 10.0.0.7:8080 track health/droplet-7",
        "server droplet-8 10.0.0.8:8080 track health/droplet-8",
      ]);
    }
  });

  it("and targets learn the client's address by PROXY protocol, health checks included", () => {
    const text = config({
      proxyProtocol: true,
      stickyCookie: undefined,
      healthCheck: { ...balancer.healthCheck, protocol: "tcp" },
    });
    expect(section(text, "backend health")).toEqual([
      "mode tcp",
      "timeout check 3s",
      "server droplet-7 10.0.0.7:8081 check inter 3s rise 2 fall 4 check-send-proxy",
      "server droplet-8 10.0.0.8:8081 check inter 3s rise 2 fall 4 check-send-proxy",
    ]);
    expect(section(text, "backend targets-80")).toContain(
      "server droplet-7 10.0.0.7:8080 track health/droplet-7 send-proxy",
    );
  });

  it("and a new certificate is a change, though the configuration's text is the same", () => {
    const other = [rule("http", 80), rule("https", 443, { certificatePem: "RENEWED" })];
    const { digest, files } = balancerFiles({ ...balancer, rules: other });
    expect(digest).not.toBe(balancerFiles(balancer).digest);
    expect(files).toContainEqual({ name: "443.pem", content: "RENEWED", mode: 0o600 });
  });

  it("and a path cannot add settings of its own", () => {
    const healthCheck = { ...balancer.healthCheck, path: "/it's\n  server x 1.2.3.4" };
    expect(config({ healthCheck })).toContain(String.raw`uri '/it'\''s  server x 1.2.3.4' ver`);
  });

  it("or the rule that lacks a certificate is named", () => {
    expect(() => balancerFiles({ ...balancer, rules: [rule("http2", 8443)] })).toThrow(
      "the forwarding rule of port 8443 has no certificate",
    );
  });
});

describe("health of targets", () => {
  const shown = [
    "1",
    "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight",
    "2 health 1 droplet-7 10.0.0.7 2 0 1 1 60 15 3 3 6 0 0 0 - 8081 - 0 0 - - 0",
    "2 health 2 droplet-9 10.0.0.9 0 0 1 1 60 8 2 0 6 0 0 0 - 8081 - 0 0 - - 0",
    "",
  ].join("\n");

  it("is told by Droplet", () => {
    expect([...targetHealth(shown)]).toEqual([
      [7, "up"],
      [9, "down"],
    ]);
  });

  it("survives a reload, and a new target gets nothing before its checks pass", () => {
    const lines = serverState(balancer, shown).trim().split("\n").slice(2);
    // Columns 4 and 6 are name and operating state: 2 runs, 0 is stopped.
    expect(lines.map((line) => line.split(" ")).map((cells) => [cells[3], cells[5]])).toEqual([
      ["droplet-7", "2"],
      ["droplet-8", "0"],
    ]);
  });
});
