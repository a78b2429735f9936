import { PostgresDatabase } from "./postgres";
import type { Settings } from "./settings";
import { SqliteDatabase } from "./sqlite";

export interface Note {
  readonly id: number;
  readonly text: string;
  /** ISO 8601. */
  readonly createdAt: string;
}

/** A report that was asked for: written once, whatever happens to the processes that work on it. */
export interface Report {
  /** UUID. */
  readonly id: string;
  /** How long writing it takes. */
  readonly seconds: number;
  /** ISO 8601. */
  readonly askedAt: string;
  /** ISO 8601; null while it is waited for. */
  readonly doneAt: string | null;
  /** How many notes there were when it was done. */
  readonly notes: number | null;
  /** Node whose process finished it. */
  readonly doneBy: string | null;
  /** 1, and one more for each time that a process died over it. */
  readonly attempts: number | null;
}

/** Where sessions are kept: for all copies of the app in one place. */
export interface SessionStore {
  /** @returns the visitor's name, or undefined when the session is unknown or over */
  session(key: string): Promise<string | undefined>;
  /** Begins a session, or gives it another name and its full time again. */
  putSession(key: string, name: string, seconds: number): Promise<void>;
  endSession(key: string): Promise<void>;
}

/** What the app stores. Every method rejects when the database does not answer. */
export interface Database extends SessionStore {
  /** Creates or updates the schema; running it again changes nothing. */
  migrate(): Promise<void>;
  /** Resolves when the database answers. */
  ping(): Promise<void>;
  counter(): Promise<number>;
  /** Adds one, atomically. @returns the new value */
  increment(): Promise<number>;
  /** The highest value that anybody has put. */
  latest(): Promise<number>;
  /** Puts a value, which counts only if it is higher: writers need not agree on an order. @returns the highest */
  putLatest(value: number): Promise<number>;
  /** Newest first. */
  notes(limit: number): Promise<Note[]>;
  addNote(text: string): Promise<Note>;
  /** @returns false when there was no such note */
  deleteNote(id: number): Promise<boolean>;
  /** Work for later. @default none: a file has no queue */
  readonly reports?: Reports;
  close(): Promise<void>;
}

/** Reports and the queue that they wait in. */
export interface Reports {
  /** Asks for one: once this resolves it will be written, by some process, once. */
  ask(seconds: number): Promise<Report>;
  report(id: string): Promise<Report | undefined>;
  /** Newest first, with how many are waited for and done in all. */
  summary(limit: number): Promise<{ waiting: number; done: number; reports: Report[] }>;
  /**
   * Takes one from the queue and works on it, if there is one.
   *
   * @param signal gives it back for another process to take up at once
   * @returns whether there was one
   */
  work(node: string, signal: AbortSignal): Promise<boolean>;
  /** Gives back what died with its process, and forgets what was done long ago. */
  maintain(): Promise<void>;
}

export function openDatabase(settings: Settings["database"]): Database {
  return settings.kind === "postgres"
    ? new PostgresDatabase(settings.url)
    : new SqliteDatabase(settings.file);
}
