import { Fault } from "../../local/fault";

export interface RestoreOptions {
  readonly to?: string;
  /** Identifier of the server whose archived log leads to the moment. @default the only one that has one */
  readonly server?: string;
  readonly database?: string;
  /** Only what this service keeps on the Volume. */
  readonly service?: string;
  /** Only the bucket of uploaded files. */
  readonly files?: boolean;
  readonly into?: string;
  readonly identity?: string;
  readonly from?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
  readonly cloud?: boolean;
  /** URL of a place, where there is no stack. The following are for it. */
  readonly place?: string;
  readonly sshKey?: string;
  readonly knownHosts?: string;
  readonly intoDirectory?: string;
  readonly toPostgres?: boolean;
}

/**
 * @param to a moment (ISO 8601) or `end`; anything else is the name of a backup.
 * @returns the moment in UTC, or `end`.
 * @throws {Fault} when it is neither a time nor a backup's name.
 */
export function momentOf(to: string | undefined): string | undefined {
  if (to === undefined || /^\d{8}T\d{6}Z$/.test(to)) return undefined;
  if (to === "end") return to;
  const time = Date.parse(to);
  if (!/^\d{4}-/.test(to) || Number.isNaN(time)) {
    throw new Fault(
      `--to must be a backup, a time such as 2026-11-21T14:00:00Z, or end, got ${to}`,
    );
  }
  return new Date(time).toISOString();
}
