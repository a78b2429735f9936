import type { Readable } from "node:stream";
import type { Command } from "./flow";
import type { Part } from "./manifest";

/** Something to save, which can be read as often as need be. */
export interface Source {
  readonly kind: Part["kind"];
  readonly name: string;
  readonly file: string;
  /** What it takes where it is, in bytes. */
  readonly size: number;
  /** Begins to read it: the program or stream that gives it, and what else the manifest says once it has been read. */
  open(): Promise<Reading>;
}

export interface Reading {
  readonly from: Command | Readable;
  /** Called when everything was read. */
  readonly finish: () => Promise<Partial<Part>>;
  /** Called in any case. */
  readonly close: () => Promise<void>;
}

/** What is to be saved cannot be read. */
export class Unreadable extends Error {}
