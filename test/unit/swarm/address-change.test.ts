import { AddressChange } from "../../../providers/swarm/resources/address-change";

/** A clock whose time passes only by sleeping. */
function patience() {
  let now = 0;
  return {
    slept: () => now / 1000,
    clock: {
      now: () => now,
      sleep: (milliseconds: number) => {
        now += milliseconds;
        return Promise.resolve();
      },
    },
  };
}

async function waited(before: object, after: object): Promise<number> {
  const { slept, clock } = patience();
  const told: string[] = [];
  const log = { status: (line: string) => told.push(line) };
  const context = { name: "dns", urn: "", signal: new AbortController().signal, clock, log };
  await AddressChange.update("front", {}, { ...before }, { ...after }, context as never);
  return slept();
}

const OLD = { address: "192.0.2.1", ttlSeconds: 300 };

test("another address holds the run for as long as resolvers may know the one before", async () => {
  expect(await waited(OLD, { ...OLD, address: "192.0.2.2" })).toBe(300);
});

test("a time to live that was shortened with the address does not shorten what is kept already", async () => {
  expect(await waited(OLD, { address: "192.0.2.2", ttlSeconds: 30 })).toBe(300);
});

test("another time to live alone holds nothing", async () => {
  expect(await waited(OLD, { ...OLD, ttlSeconds: 30 })).toBe(0);
});
