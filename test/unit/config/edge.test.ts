import { edgeSettings } from "../../../components/edge/edge";
import { describeFault } from "../../../infra/faults";
import { edgeRoutes } from "../../../infra/routes";
import { readStackFile } from "../../../infra/stack-file";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHLRiDoDWzNP+sSXAJ2ZEPvbSkPs5x45NfZwPZVqXd5M";
const web = { image: "acme/web:1", port: 3000, routes: ["/"] };

const read = (given: object, service: object = {}) =>
  readStackFile(
    { region: "fra1", sshKeys: [KEY], services: { web: { ...web, ...service } }, ...given },
    { stack: "swarm", env: {}, root: process.cwd() },
  );
const report = (...args: Parameters<typeof read>) => read(...args).faults.map(describeFault);

test("what a stack file asks of the edge reaches it", () => {
  const options = {
    balance: "round-robin",
    stickyCookie: "task",
    cachePaths: ["/assets"],
    rateLimit: { requests: 100 },
  };
  const { config, faults } = read({ edge: { deny: ["203.0.113.0/24", "2001:db8::7"] } }, options);
  expect(faults).toEqual([]);
  expect(edgeSettings({ routes: edgeRoutes(config), ...config.edge })).toMatchObject({
    routes: [{ ...options, service: "web", port: 3000, rateLimit: { requests: 100, seconds: 10 } }],
    deny: ["203.0.113.0/24", "2001:db8::7"],
    maxBodyMib: 64,
  });
});

test("a request goes to the least busy task, and nothing else is done, unless a service asks", () => {
  const [route] = edgeRoutes(read({}).config);
  expect(route).toEqual({
    service: "web",
    port: 3000,
    paths: ["/"],
    health: { path: "/" },
    replicas: 1,
    balance: "least-connections",
  });
});

test("faults of the edge's keys are told before anything changes", () => {
  expect(
    report({ edge: { deny: ["203.0.113.0/33", "example.com"] } }, { balance: "random" }),
  ).toEqual([
    'archipelago:edge.deny[0] must be an IP address or a CIDR such as 203.0.113.0/24, got "203.0.113.0/33"',
    'archipelago:edge.deny[1] must be an IP address or a CIDR such as 203.0.113.0/24, got "example.com"',
    'archipelago:services.web.balance must be least-connections or round-robin or source, got "random"',
  ]);
  expect(report({}, { cachePaths: ["assets"], rateLimit: { requests: 0 } })).toEqual([
    'archipelago:services.web.cachePaths[0] must be a path prefix such as /assets, got "assets"',
    "archipelago:services.web.rateLimit.requests must be an integer from 1 to 1000000, got 0",
  ]);
  expect(report({}, { routes: [], stickyCookie: "task" })).toEqual([
    "archipelago:services.web.stickyCookie is for a service with routes",
  ]);
});
