import type { Clock, Context } from "../../../../providers/swarm/protocol/resource";
import { systemClock } from "../../../../providers/swarm/wait";

/** Ours runs so much faster than the world's: nothing that is waited for here takes a second. */
const SPEED = 20;

const fastClock: Clock = {
  now: () => systemClock.now() * SPEED,
  sleep: (milliseconds, signal) => systemClock.sleep(milliseconds / SPEED, signal),
};

/** A context that keeps what would be told to the operator. */
export function recordingContext(name: string): Context & { readonly lines: string[] } {
  const lines: string[] = [];
  const keep = (message: string) => void lines.push(message);
  return {
    name,
    urn: `urn:pulumi:test::swarm::swarm:index:Node::${name}`,
    lines,
    log: { status: keep, info: keep, warn: keep },
    signal: new AbortController().signal,
    clock: fastClock,
  };
}
