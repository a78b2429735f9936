import { declare, emptyAccount, short } from "./declare";
import type { Declared } from "./recorder";

// It would make a directory in the home of whoever runs the tests.
jest.mock("../../components/ssh-directory", () => ({
  prepareSshDirectory: () => undefined,
}));

const services = {
  web: {
    image: "acme/web@sha256:0123456789abcdef0123",
    port: 3000,
    routes: ["/"],
    release: ["migrate"],
  },
  nightly: { image: "acme/web@sha256:0123456789abcdef0123", schedule: "0 3 * * *" },
};

describe("the second site of ha, as declared", () => {
  let alone: Declared[];
  let declared: Declared[];
  beforeAll(async () => {
    const account = { ...emptyAccount, second: emptyAccount };
    const given = { services, domain: "app.example.com" };
    alone = await declare("ha", given);
    declared = await declare("ha", { ...given, secondSite: { region: "ams3" } }, { account });
  });

  const times = (name: string) => declared.filter((one) => short(one) === name).length;
  const inputsOf = (type: string, name: string) =>
    declared.find((one) => one.type.endsWith(`:${type}`) && one.inputs.name === name)?.inputs;

  test("leaves what the first site is made of as it was, but for who may reach the database and where names lead", () => {
    const rest = [...declared];
    const changed = alone.filter((before) => {
      const same = rest.findIndex((after) => JSON.stringify(after) === JSON.stringify(before));
      if (same >= 0) rest.splice(same, 1);
      return same < 0;
    });
    expect(changed.map(short).sort()).toEqual([
      "DatabaseFirewall postgres",
      "DatabaseFirewall postgres-replica-1",
      "ProjectResources project",
    ]);
  });

  test("has nodes, networks and a Load Balancer of its own, in its region", () => {
    expect(inputsOf("Droplet", "app-second-manager-1")).toMatchObject({
      region: "ams3",
      tags: [
        "archipelago-app-second",
        "archipelago-app-second-manager",
        "archipelago-app-second-ingress",
      ],
    });
    expect(inputsOf("Vpc", "archipelago-app-second")).toMatchObject({ region: "ams3" });
    expect(inputsOf("LoadBalancer", "archipelago-app-second")).toMatchObject({
      region: "ams3",
      dropletTag: "archipelago-app-second-ingress",
      redirectHttpToHttps: true,
    });
    expect(inputsOf("VpcPeering", "archipelago-app-second")).toBeDefined();
    expect(times("Cluster swarm")).toBe(2);
    expect(times("Certificate front")).toBe(1);
  });

  test("is the second choice of the global Load Balancer, which ends TLS and keeps no copies", () => {
    expect(inputsOf("LoadBalancer", "archipelago-app-global")).toMatchObject({
      type: "GLOBAL",
      glbSettings: {
        targetProtocol: "https",
        targetPort: 443,
        cdn: { isEnabled: false },
        regionPriorities: { fra1: 1, ams3: 2 },
      },
      domains: [{ name: "app.example.com", isManaged: false }],
    });
  });

  test("reaches the one database, and has a copy of it", () => {
    expect(inputsOf("DatabaseReplica", "app-postgres-replica-elsewhere")).toMatchObject({
      region: "ams3",
    });
    const [firewall] = declared.filter((one) => short(one) === "DatabaseFirewall postgres");
    expect(firewall?.inputs.rules).toEqual([
      { type: "tag", value: "archipelago-app" },
      { type: "tag", value: "archipelago-app-second" },
    ]);
  });

  test("runs the same services, and nothing a second time that must happen once", () => {
    expect(times("Service web")).toBe(2);
    expect(times("Service pgbouncer")).toBe(2);
    expect(times("Service edge-proxy")).toBe(2);
    expect(times("Rollout front")).toBe(2);
    expect(times("Job web-release")).toBe(1);
    expect(times("Job database-grants")).toBe(1);
    expect(times("Service scheduler")).toBe(1);
  });
});
