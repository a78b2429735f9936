import type { Context } from "../../../../providers/swarm/protocol/resource";

/** A context that keeps what would be told to the operator. */
export function recordingContext(name: string): Context & { readonly lines: string[] } {
  const lines: string[] = [];
  const keep = (message: string) => void lines.push(message);
  return {
    name,
    lines,
    log: { status: keep, info: keep, warn: keep },
    signal: new AbortController().signal,
  };
}
