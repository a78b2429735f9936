import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  placeholderPem,
  publishCertificates,
  readCertificate,
} from "../../../components/edge/agent/certificates";
import { writeWhole } from "../../../components/edge/agent/files";
import { edgeFaults } from "../../../components/edge/faults";
import { renderHaproxyConfig } from "../../../components/edge/haproxy-config";
import { nodeStateFile, renderNodeState } from "../../../components/edge/node-state";
import { renderPages } from "../../../components/edge/pages";
import {
  type Balance,
  EDGE_DEFAULTS,
  type EdgeSettings,
  LETS_ENCRYPT,
  certificateNames,
} from "../../../components/edge/settings";

const plain: EdgeSettings = {
  ...EDGE_DEFAULTS,
  acme: { directoryUrl: LETS_ENCRYPT },
  names: [],
  routes: [{ service: "web", port: 3000, health: { path: "/healthz" } }],
};

const withDomain: EdgeSettings = {
  ...plain,
  names: ["example.org", "www.example.org"],
  routes: [
    ...plain.routes,
    {
      service: "api",
      port: 4000,
      paths: ["/api/", "/v1"],
      hosts: ["www.example.org"],
      replicas: 20,
    },
  ],
};
const certificates = [
  { name: "example.org", issued: true, fingerprint: "aa11" },
  { name: "www.example.org", issued: false, fingerprint: "bb22" },
];

/** Behind a Load Balancer, with everything that a service can ask for. */
const withOptions: EdgeSettings = {
  ...plain,
  domain: "example.org",
  front: { range: "10.64.0.0/20" },
  deny: Array.from({ length: 40 }, (_, index) => `203.0.113.${index}`),
  routes: [
    {
      service: "web",
      port: 3000,
      balance: "source",
      stickyCookie: "task",
      cachePaths: ["/static", "/favicon.ico"],
      rateLimit: { requests: 100, seconds: 10 },
    },
    { service: "api", port: 4000, paths: ["/api"], balance: "round-robin", cachePaths: ["/"] },
  ],
};

/** The lines of one section, without its title. */
function section(text: string, title: string): string[] {
  const lines = text.split("\n");
  const start = lines.indexOf(title) + 1;
  return lines.slice(start, lines.indexOf("", start)).map((line) => line.trim());
}

describe("haproxy.cfg", () => {
  it("is exactly this for one service without a domain", () => {
    expect(renderHaproxyConfig(plain, [])).toMatchSnapshot();
  });

  it("sends the longest path of the named host first, whole segments only", () => {
    const rules = section(renderHaproxyConfig(withDomain, certificates), "frontend public");
    expect(rules.slice(rules.indexOf("use_backend edge-agent if acme_challenge"))).toEqual([
      "use_backend edge-agent if acme_challenge",
      "acl route0 var(txn.path) -m str /api",
      "acl route0 var(txn.path) -m beg /api/",
      "use_backend api-4000-unchecked if { var(txn.host) -m str www.example.org } route0 { nbsrv(api-4000) eq 0 } { nbsrv(api-4000-unchecked) gt 0 }",
      "use_backend api-4000 if { var(txn.host) -m str www.example.org } route0",
      "acl route1 var(txn.path) -m str /v1",
      "acl route1 var(txn.path) -m beg /v1/",
      "use_backend api-4000-unchecked if { var(txn.host) -m str www.example.org } route1 { nbsrv(api-4000) eq 0 } { nbsrv(api-4000-unchecked) gt 0 }",
      "use_backend api-4000 if { var(txn.host) -m str www.example.org } route1",
      "use_backend web-3000-unchecked if { nbsrv(web-3000) eq 0 } { nbsrv(web-3000-unchecked) gt 0 }",
      "use_backend web-3000",
      "default_backend no-route",
    ]);
  });

  it("redirects to HTTPS only the names whose certificate browsers accept", () => {
    const redirects = section(
      renderHaproxyConfig(withDomain, certificates),
      "frontend public",
    ).filter((line) => line.includes("redirect"));
    expect(redirects).toEqual([
      "http-request redirect scheme https code 308 if !acme_challenge !{ var(txn.proto) -m str https } { var(txn.host) -m str example.org }",
    ]);
  });

  it("never retries a request that may have changed something", () => {
    for (const backend of ["backend web-3000", "backend api-4000"]) {
      expect(section(renderHaproxyConfig(withDomain, certificates), backend)).toContain(
        "http-request disable-l7-retry unless { method GET HEAD OPTIONS }",
      );
    }
  });

  it("has slots for old and new containers side by side during a deploy", () => {
    const text = renderHaproxyConfig(withDomain, certificates);
    expect(text).toContain("server-template web- 16 tasks.web:3000");
    expect(text).toContain("server-template api- 42 tasks.api:4000");
  });

  it("changes when a certificate does, so that HAProxy is reloaded", () => {
    const renewed = certificates.map((one) => ({ ...one, fingerprint: "cc33" }));
    expect(renderHaproxyConfig(withDomain, renewed)).not.toBe(
      renderHaproxyConfig(withDomain, certificates),
    );
  });

  it("is exactly this for a service with every option, behind a Load Balancer", () => {
    const text = renderHaproxyConfig(withOptions, []);
    const backends = ["web-3000", "web-3000-unchecked", "limit-web-3000"].map(
      (name) => `backend ${name}`,
    );
    for (const title of ["frontend public", ...backends]) {
      expect(section(text, title).join("\n")).toMatchSnapshot(title);
    }
  });

  it("logs no query string, which may hold a token", () => {
    expect(renderHaproxyConfig(plain, [])).not.toMatch(/%HU|%HQ|%r[^c]|capture\.req\.uri/);
  });
});

const haproxy = spawnSync("haproxy", ["-v"], { env: { PATH: `${process.env.PATH}:/usr/sbin` } });
if (haproxy.error)
  console.warn("SKIPPED haproxy -c: haproxy is not installed (apt-get install haproxy)");

(haproxy.error ? describe.skip : describe)("haproxy -c", () => {
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "edge-unit-"))));
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it.each([
    ["without a domain", plain],
    ["with a domain and hosts", withDomain],
    ["with every option of a service, behind a Load Balancer", withOptions],
    ["without any route", { ...plain, routes: [] }],
  ])("accepts the configuration %s", async (_title, base) => {
    const settings = { ...base, runDir: dir };
    const held = await Promise.all(
      settings.names.map(async (name) => readCertificate(name, await placeholderPem(name), false)),
    );
    publishCertificates(dir, held);
    for (const [file, page] of renderPages(settings.routes.map(({ service }) => service))) {
      writeWhole(join(dir, "errors", file), page);
    }
    writeWhole(nodeStateFile(dir), renderNodeState(dir));
    writeWhole(join(dir, "server-state"), "1\n");
    writeWhole(join(dir, "haproxy.cfg"), renderHaproxyConfig(settings, held));
    const { status, stderr } = spawnSync("haproxy", ["-c", "-f", join(dir, "haproxy.cfg")], {
      env: { PATH: `${process.env.PATH}:/usr/sbin` },
    });
    expect(stderr.toString()).not.toContain("ALERT");
    expect(status).toBe(0);
  });
});

describe("settings", () => {
  it("want a certificate for the domain and each host, once, and none for wildcards", () => {
    const routes = [
      { service: "web", port: 1, hosts: ["WWW.example.org", "example.org"] },
      { service: "web", port: 1, hosts: ["*.example.org"] },
    ];
    expect(certificateNames("example.org", routes)).toEqual(["example.org", "www.example.org"]);
    expect(certificateNames(undefined, [{ service: "web", port: 1 }])).toEqual([]);
  });

  it("refuse what would become HAProxy syntax", () => {
    expect(
      edgeFaults(
        [
          {
            ...withOptions.routes[0],
            service: "web",
            port: 3000,
            paths: ["/ok"],
            hosts: ["a.example.org"],
            health: { path: "/" },
          },
          {
            service: "Web",
            port: 0,
            paths: ["/a b", "c"],
            hosts: ["x }\n"],
            health: { path: "/x\nbind :1" },
            cachePaths: ["d"],
            balance: "first" as Balance,
            stickyCookie: "a b",
            rateLimit: { requests: 0, seconds: 1.5 },
          },
        ],
        [
          "203.0.113.0/24",
          "2001:db8::/32",
          "198.51.100.7",
          "10.0.0.0/33",
          "example.org",
          "1.2.3.4/",
        ],
      ),
    ).toEqual([
      "routes[1].service must be a DNS label, got Web",
      "routes[1].port must be 1 to 65535, got 0",
      "routes[1]: a path must start with / and be plain, got /a b",
      "routes[1]: a path must start with / and be plain, got c",
      "routes[1]: a path must start with / and be plain, got d",
      "routes[1]: a path must start with / and be plain, got /x\nbind :1",
      "routes[1].hosts: a host name must be lower case, got x }\n",
      "routes[1].balance must be least-connections, round-robin, source, got first",
      "routes[1].stickyCookie must be letters, digits, _ and -, got a b",
      "routes[1].rateLimit.requests must be 1 to 1000000, got 0",
      "routes[1].rateLimit.seconds must be 1 to 3600, got 1.5",
      "deny[3] must be an IP address or CIDR, got 10.0.0.0/33",
      "deny[4] must be an IP address or CIDR, got example.org",
      "deny[5] must be an IP address or CIDR, got 1.2.3.4/",
    ]);
  });
});

describe("pages", () => {
  it("name the service without a healthy container, and fit HAProxy's buffer", () => {
    const pages = renderPages(["web"]);
    expect(pages.get("503-web.html")).toContain(
      "No healthy container of the service &quot;web&quot; is running right now.".replaceAll(
        "&quot;",
        '"',
      ),
    );
    for (const text of pages.values()) expect(text.length).toBeLessThan(8192);
  });

  it("leave no percent sign that HAProxy would take for a format, except the request's id", () => {
    for (const text of renderPages(["web"]).values()) {
      expect(text.replaceAll("%%", "").match(/%.?/g)).toEqual(["%["]);
    }
  });
});
