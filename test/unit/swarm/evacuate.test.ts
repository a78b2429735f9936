/** A node that leaves must take no task of a service with it, killed at any step or not. */
import { Program } from "./support/program";
import { SimulatedSwarm } from "./support/simulated-swarm";

const NODES = { "manager-1": "manager", "worker-1": "worker", "worker-2": "worker" } as const;
const { "worker-2": _leaving, ...STAYING } = NODES;

async function running(): Promise<{ swarm: SimulatedSwarm; program: Program }> {
  const swarm = new SimulatedSwarm();
  const program = new Program(swarm);
  await program.start(NODES);
  await swarm.deploy([
    { name: "web", replicas: 4, startSeconds: 5 },
    { name: "queue", replicas: 1 },
    { name: "pinned", replicas: 1, boundTo: "manager-1" },
    {
      name: "clock",
      replicas: 1,
      labels: { "archipelago.singleton": "true" },
    },
    {
      name: "edge",
      replicas: 3,
      labels: { "archipelago.drain": '["fail-health"]', "archipelago.drain-seconds": "9" },
    },
  ]);
  return { swarm, program };
}

async function expectLeft(swarm: SimulatedSwarm): Promise<void> {
  expect(swarm.violations).toEqual([]);
  expect(Object.keys(swarm.members)).toEqual(Object.keys(STAYING));
  expect(swarm.leaving).toEqual([]);
  await swarm.clock.sleep(30_000);
  for (const [name, replicas] of Object.entries({
    web: 4,
    queue: 1,
    pinned: 1,
    clock: 1,
    edge: 3,
  })) {
    expect([name, swarm.replicasOf(name), swarm.servingOf(name)]).toEqual([
      name,
      replicas,
      replicas,
    ]);
    expect(swarm.labelsOfServices[name]).not.toHaveProperty("archipelago.raised");
  }
}

test("a node leaves with every service whole all the time, and its replicas as before", async () => {
  const { swarm, program } = await running();
  await program.up(STAYING);
  await expectLeft(swarm);
});

test("new machines under all names take over at once what was built on the old ones", async () => {
  const swarm = new SimulatedSwarm();
  const program = new Program(swarm);
  await program.start(NODES);
  await swarm.deploy([{ name: "web", replicas: 4, startSeconds: 5, image: "localhost/web:1" }]);
  await program.up(NODES, Object.keys(NODES));
  expect(swarm.violations).toEqual([]);
  expect(swarm.servingOf("web")).toBe(4);
  expect(program.machine("worker-2").images).toContain("localhost/web:1");
});

test("the edge is told to fail its health check, and heard to have, before it stops", async () => {
  const { swarm, program } = await running();
  const machine = program.machine("worker-2");
  const before = swarm.clock.now();
  await program.up(STAYING);
  expect(machine.commands).toEqual(["fail-health"]);
  expect(swarm.clock.now() - before).toBeGreaterThan(9000);
});

test("a leave that is killed at any call is finished by the next run", async () => {
  for (let diesAt = 1; ; diesAt++) {
    const { swarm, program } = await running();
    try {
      await program.up(STAYING, [], diesAt);
      await expectLeft(swarm);
      expect(diesAt).toBeGreaterThan(30);
      return;
    } catch (error) {
      expect(String(error)).toContain("killed");
    }
    await program.up(STAYING);
    await expectLeft(swarm);
  }
});

test("a node whose tasks have no place elsewhere stays, and everything is as it was", async () => {
  const swarm = new SimulatedSwarm();
  const program = new Program(swarm);
  await program.start({ "manager-1": "manager", "worker-1": "worker" });
  await swarm.deploy([{ name: "web", replicas: 2 }]);
  swarm.byHand("manager-1", { availability: "drain" });
  await swarm.clock.sleep(30_000);
  await expect(program.leave("worker-1")).rejects.toThrow(
    /^worker-1 cannot leave, and stays as it was: 0 of 2 tasks of web are well on other nodes \(no suitable node\)\. Make room/,
  );
  expect(swarm.violations).toEqual([]);
  expect(swarm.members["worker-1"]?.availability).toBe("active");
  expect(swarm.leaving).toEqual([]);
  expect(swarm.replicasOf("web")).toBe(2);
});
