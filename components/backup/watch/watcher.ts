import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { reasonOf } from "../../webhook";
import type { Channel } from "./channels";
import { advance, afterTelling, type Incident, incidents, messageFor } from "./incidents";
import type { Seen } from "./look";

/** One line of the log. */
export type Log = (event: string, details: Readonly<Record<string, unknown>>) => void;

/**
 * Remembers what was seen and who was told: in a file, so that neither an update nor a kill tells people twice, and an end is
 * told by whoever comes after.
 */
export class Watcher {
  private known: Incident[];

  /** @param file Its directory exists. What cannot be read there counts for nothing. */
  constructor(
    private readonly file: string,
    private readonly channels: readonly Channel[],
    private readonly log: Log,
  ) {
    this.known = read(file);
  }

  /** Takes in what a look has found, and tells who must know. What could not be sent is tried again after the next look. */
  async heed(seen: Seen, now: Date): Promise<void> {
    this.remember(advance(this.known, seen, now));
    for (const { name, says, since, endedAt } of this.known)
      this.log("problem", { name, says, since, ...(endedAt !== undefined && { endedAt }) });
    await Promise.all(
      this.channels.map(async (channel) => {
        const message = messageFor(channel.name, this.known, now);
        if (message === undefined) return;
        const { kind } = message;
        try {
          await channel.send(message);
          this.remember(afterTelling(channel.name, this.known, message, now));
          this.log("told", { channel: channel.name, kind });
        } catch (error) {
          this.log("not-told", { channel: channel.name, kind, reason: reasonOf(error) });
        }
      }),
    );
  }

  private remember(known: Incident[]): void {
    this.known = known;
    const partial = `${this.file}.partial`;
    try {
      writeFileSync(partial, JSON.stringify(known));
      renameSync(partial, this.file);
    } catch (error) {
      // A full disk keeps nobody from being told: at worst twice.
      this.log("not-kept", { reason: reasonOf(error) });
    }
  }
}

function read(file: string): Incident[] {
  if (!existsSync(file)) return [];
  try {
    return incidents.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    return [];
  }
}
