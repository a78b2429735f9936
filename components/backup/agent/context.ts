import { rmSync } from "node:fs";
import type { BackupSettings } from "../settings";
import type { Command } from "./flow";
import { privateDirectory } from "./private";
import type { Tell } from "./progress";
import { Store } from "./store";

/** What every task of the agent works with. */
export interface Context {
  readonly settings: BackupSettings;
  readonly stores: readonly Store[];
  /** Private, in memory, and gone afterwards: for logins and keys. */
  readonly secrets: string;
  readonly tell: Tell;
  readonly signal: AbortSignal;
  readonly now: () => Date;
}

/** Memory: the only directory that is never written to a disk on any Linux. */
export const MEMORY = "/dev/shm";

/** Gives a task its context, and tidies up. */
export async function within<T>(
  settings: BackupSettings,
  { tell, signal, now = () => new Date() }: Pick<Context, "tell" | "signal"> & Partial<Context>,
  task: (context: Context) => Promise<T>,
): Promise<T> {
  const secrets = privateDirectory(MEMORY, "archipelago-backup");
  try {
    const stores = Store.openAll(settings, secrets, signal);
    return await task({ settings, stores, secrets, tell, signal, now });
  } finally {
    rmSync(secrets, { recursive: true, force: true });
  }
}

/** Fast enough that the network or the disk is what takes time. */
export const compress: Command = { command: ["zstd", "-q", "-c", "-3"] };
export const decompress: Command = { command: ["zstd", "-q", "-d", "-c"] };

export const encrypt = (recipient: string): Command => ({ command: ["age", "-r", recipient] });
export const decrypt = (identity: string): Command => ({ command: ["age", "-d", "-i", identity] });
