/**
 * Whatever is done to a swarm, in whatever order, and wherever a run is killed: our own actions cost neither its quorum nor a task
 * that a service needs, and a run that is let finish brings about what is wanted.
 */
import fc from "fast-check";
import type { Role } from "../../../providers/swarm/swarm/engine";
import { Program, type Wanted } from "./support/program";
import { SimulatedSwarm } from "./support/simulated-swarm";

/** What a stack file may say of its nodes. */
const sizes = fc.record({
  managers: fc.constantFrom(1, 3, 5),
  workers: fc.integer({ min: 0, max: 3 }),
  /** As many of the first managers are retired: others take their places. */
  retired: fc.constantFrom(0, 0, 1, 2),
});
type Sizes = typeof sizes extends fc.Arbitrary<infer T> ? T : never;

const steps = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("up" as const),
      sizes,
      /** Which nodes get other machines. */
      replaced: fc.constantFrom("none", "all", "managers", "workers"),
      diesAt: fc.option(fc.integer({ min: 1, max: 250 }), { nil: undefined }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("crash" as const), which: fc.nat(7) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("drainByHand" as const),
      which: fc.nat(7),
      minutes: fc.integer({ min: 0, max: 2 }),
    }),
  },
);
type Step = typeof steps extends fc.Arbitrary<infer T> ? T : never;

function wantedOf({ managers, workers, retired }: Sizes): Wanted {
  const named = (role: Role, from: number, count: number) =>
    Array.from({ length: count }, (_, index) => [`${role}-${from + index}`, role] as const);
  return Object.fromEntries([
    ...named("manager", retired + 1, managers),
    ...named("worker", 1, workers),
  ]);
}

/** Refused, or killed: the next run goes on. Anything else is a fault of ours. */
const EXPECTED = /killed|cannot (leave|become|stop)|gave up waiting/;

async function take(step: Step, program: Program, wanted: Wanted): Promise<Wanted> {
  const { swarm } = program;
  const names = [...program.state.keys()];
  switch (step.kind) {
    case "up": {
      const next = wantedOf(step.sizes);
      const chosen = Object.keys(next).filter(
        (name) => step.replaced === "all" || step.replaced === `${next[name]}s`,
      );
      // A machine that is dead for good is replaced by whoever runs `up`.
      const dead = names.filter((name) => !program.machine(name).isAlive && name in next);
      await program
        .up(next, [...new Set([...chosen, ...dead])], step.diesAt)
        .catch((error: unknown) => expect(String(error)).toMatch(EXPECTED));
      return next;
    }
    case "crash": {
      const machine = program.machine(names[step.which % names.length] ?? "");
      if (swarm.survivesWithout(machine)) swarm.crash(machine);
      return wanted;
    }
    case "drainByHand":
      swarm.byHand(names[step.which % names.length] ?? "", { availability: "drain" });
      await swarm.clock.sleep(step.minutes * 60_000);
      return wanted;
  }
}

test("quorum and services are never lost by our own action, and the last run puts everything right", async () => {
  await fc.assert(
    fc.asyncProperty(
      sizes,
      fc.array(steps, { minLength: 1, maxLength: 6 }),
      async (first, plan) => {
        const swarm = new SimulatedSwarm();
        const program = new Program(swarm);
        let wanted = wantedOf({ ...first, retired: 0 });
        await program.start(wanted);
        await swarm.deploy([
          { name: "web", replicas: 4, startSeconds: 5, image: "localhost/web:1" },
          { name: "queue", replicas: 1 },
          { name: "clock", replicas: 1, labels: { "archipelago.singleton": "true" } },
        ]);
        for (const step of plan) wanted = await take(step, program, wanted);

        for (const { machine } of program.state.values()) {
          if (!machine.isAlive) swarm.restart(machine);
        }
        await swarm.clock.sleep(60_000);
        await program.up(wanted);
        await swarm.clock.sleep(60_000);
        expect(swarm.violations).toEqual([]);
        expect(swarm.members).toEqual(
          Object.fromEntries(
            Object.entries(wanted).map(([name, role]) => {
              const { dropletId } = program.machine(name);
              return [name, { role, dropletId, availability: "active" }];
            }),
          ),
        );
        expect(swarm.leaving).toEqual([]);
        for (const [name, replicas] of Object.entries({ web: 4, queue: 1, clock: 1 })) {
          expect([name, swarm.replicasOf(name), swarm.servingOf(name)]).toEqual([
            name,
            replicas,
            replicas,
          ]);
        }
      },
    ),
    { numRuns: Number(process.env["SEQUENCES"] ?? 40) },
  );
}, 120_000);
