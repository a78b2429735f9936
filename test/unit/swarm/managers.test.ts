/** What may be done to managers, who may do it at the same time, and what becomes of those that are dead. */
import { Program } from "./support/program";
import { SimulatedSwarm } from "./support/simulated-swarm";

const THREE = { "manager-1": "manager", "manager-2": "manager", "manager-3": "manager" } as const;
const TWO = { "manager-2": "manager", "manager-3": "manager" } as const;

async function running(wanted: Parameters<Program["up"]>[0] = THREE) {
  const swarm = new SimulatedSwarm();
  const program = new Program(swarm);
  await program.start(wanted);
  await swarm.deploy([{ name: "web", replicas: 2 }]);
  return { swarm, program };
}

test("a manager does not leave while another one is cut off, and nothing is begun", async () => {
  const { swarm, program } = await running();
  program.machine("manager-3").isCutOff = true;
  await swarm.clock.sleep(60_000);
  const before = swarm.members;
  await expect(program.leave("manager-1")).rejects.toThrow(
    "manager-1 cannot stop being a manager: 1 of the 2 managers that stay are reachable, and 2 are needed: " +
      "bring the others back first",
  );
  expect(swarm.members).toEqual(before);
  expect(swarm.leaving).toEqual([]);
  expect(swarm.replicasOf("web")).toBe(2);
});

test("a manager does not join while another one is cut off, and one that is dead makes room", async () => {
  const { swarm, program } = await running();
  const lost = program.machine("manager-1");
  lost.isCutOff = true;
  await swarm.clock.sleep(60_000);
  const next = { ...TWO, "manager-4": "manager" } as const;
  await expect(program.up(next)).rejects.toThrow(
    "manager-4 cannot become a manager: 2 of 3 managers are reachable, and one more would need 3: " +
      "bring the others back or take them out first",
  );
  swarm.crash(lost);
  await program.up(next);
  expect(Object.keys(swarm.members)).toEqual(Object.keys(next));
  expect(program.lines).toContain(
    "manager-1 is down and does not answer: it stops being a manager, so that the others can change. " +
      "Should it come back, the next up with --refresh makes it one again",
  );
  expect(swarm.violations).toEqual([]);
});

test("a node that died is taken out after a bounded wait, with a warning", async () => {
  const { swarm, program } = await running({ ...THREE, "worker-1": "worker" });
  swarm.crash(program.machine("worker-1"));
  const before = swarm.clock.now();
  await program.up(THREE);
  expect(swarm.clock.now() - before).toBeLessThan(60_000);
  expect(Object.keys(swarm.members)).toEqual(Object.keys(THREE));
  expect(program.lines).toContain(
    "worker-1 is down and does not answer: it is taken out of the swarm as dead",
  );
});

test("all managers can be replaced in one run, and there are three at its end", async () => {
  const { swarm, program } = await running();
  await program.up(THREE, Object.keys(THREE));
  expect(swarm.violations).toEqual([]);
  expect(swarm.members).toEqual({
    "manager-1": { role: "manager", dropletId: "4", availability: "active" },
    "manager-2": { role: "manager", dropletId: "5", availability: "active" },
    "manager-3": { role: "manager", dropletId: "6", availability: "active" },
  });
});

test.each([25, 90])(
  "a second manager that takes %i s to do its part is waited for: torn out, it would take the quorum along",
  async (joinSeconds) => {
    const { swarm, program } = await running({ "manager-1": "manager" });
    program.joinSeconds = { "manager-2": joinSeconds };
    // The lock cannot be renewed without a quorum: a run may end, and the next one must find everything well.
    await program.up(THREE).catch(() => swarm.clock.sleep(60_000));
    await program.up(THREE);
    expect(swarm.violations).toEqual([]);
    expect(Object.keys(swarm.members).sort()).toEqual(Object.keys(THREE));
  },
);

test("a manager that was demoted, and a node that was drained by hand, are put right", async () => {
  const { swarm, program } = await running();
  const before = swarm.members;
  swarm.byHand("manager-2", { role: "worker" });
  swarm.byHand("manager-3", { availability: "drain" });
  await swarm.clock.sleep(10_000);
  expect(swarm.members).not.toEqual(before);
  await program.up(THREE);
  expect(swarm.members).toEqual(before);
});

test("two runs at once change the swarm one after the other", async () => {
  const { swarm, program } = await running({ ...THREE, "worker-1": "worker" });
  await Promise.all([program.up(THREE, ["manager-1"]), program.up(THREE, ["manager-2"])]);
  await program.up(THREE);
  expect(swarm.violations).toEqual([]);
  expect(Object.keys(swarm.members).sort()).toEqual(Object.keys(THREE));
});

describe("join tokens", () => {
  test("are rotated once after the last node of a run has joined, and not when none has", async () => {
    const { swarm, program } = await running();
    expect(swarm.tokensRotated).toBe(1);
    await program.up({ ...THREE, "worker-1": "worker", "worker-2": "worker" });
    expect(swarm.tokensRotated).toBe(2);
    await program.up(THREE);
    expect(swarm.tokensRotated).toBe(2);
  });

  test("that a killed run has read are worth nothing to whoever joins next", async () => {
    const { swarm, program } = await running();
    const { tokensRead, tokensRotated } = swarm;
    for (let diesAt = 1; swarm.tokensRead === tokensRead; diesAt++) {
      await program.up({ ...THREE, "worker-1": "worker" }, [], diesAt).catch(() => undefined);
    }
    expect(swarm.tokensRotated).toBe(tokensRotated);
    await program.up({ ...THREE, "worker-1": "worker", "worker-2": "worker" });
    // Before the first that joins, and after the last.
    expect(swarm.tokensRotated).toBe(tokensRotated + 2);
  });
});
