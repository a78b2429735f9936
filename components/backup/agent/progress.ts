import type { ArchivedServer } from "./copies";

/** What goes on, a line of JSON each, for the log and for an operator who follows. */
export type Event =
  | { readonly event: "begins"; readonly what: string; readonly total?: number | undefined }
  | { readonly event: "bytes"; readonly what: string; readonly bytes: number }
  | { readonly event: "note"; readonly text: string }
  /** `backup`: the id of one whose manifest is damaged. */
  | { readonly event: "failed"; readonly text: string; readonly backup?: string }
  | { readonly event: "archived"; readonly place: string; readonly server: ArchivedServer }
  /** Asks for a line when no task of these services runs any more. */
  | { readonly event: "stop"; readonly services: readonly string[] }
  | ({ readonly event: "done" } & Readonly<Record<string, unknown>>);

export type Tell = (event: Event) => void;

/** What there is to tell of whatever was thrown. */
export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

const PERIOD_MS = 1000;

/** @returns a receiver of byte counts that tells of them once a second. */
export function bytesOf(what: string, tell: Tell): (bytes: number) => void {
  let told = 0;
  return (bytes) => {
    const now = Date.now();
    if (now - told < PERIOD_MS) return;
    told = now;
    tell({ event: "bytes", what, bytes });
  };
}
