import { PostgresDatabase } from "./postgres";
import type { Settings } from "./settings";
import { SqliteDatabase } from "./sqlite";

export interface Note {
  readonly id: number;
  readonly text: string;
  /** ISO 8601. */
  readonly createdAt: string;
}

/** What the app stores. Every method rejects when the database does not answer. */
export interface Database {
  /** Creates or updates the schema; running it again changes nothing. */
  migrate(): Promise<void>;
  /** Resolves when the database answers. */
  ping(): Promise<void>;
  counter(): Promise<number>;
  /** Adds one, atomically. @returns the new value */
  increment(): Promise<number>;
  /** Newest first. */
  notes(limit: number): Promise<Note[]>;
  addNote(text: string): Promise<Note>;
  /** @returns false when there was no such note */
  deleteNote(id: number): Promise<boolean>;
  close(): Promise<void>;
}

export function openDatabase(settings: Settings["database"]): Database {
  return settings.kind === "postgres"
    ? new PostgresDatabase(settings.url)
    : new SqliteDatabase(settings.file);
}
