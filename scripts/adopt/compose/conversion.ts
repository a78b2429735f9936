/** What comes of a compose file, and what an operator is told about it. */

/**
 * `lost`: Archipelago does not do it. `changed`: it does it in another way. `todo`: somebody has to do something before it
 * works.
 */
export type NoteKind = "lost" | "changed" | "todo";

export interface Note {
  readonly kind: NoteKind;
  /** Service of the compose file; absent for what is about the whole file. */
  readonly service?: string;
  /** Key of the compose file, as it was written: `ports`, `deploy.mode`. */
  readonly key: string;
  /** What happens, and why. */
  readonly what: string;
  /** What to do about it. */
  readonly todo?: string;
}

/** A secret that the stack needs, and where its value was found. Never the value. */
export interface NeededSecret {
  readonly service: string;
  readonly name: string;
  /** Whether the compose file or its env files have a value for it. */
  readonly known: boolean;
}

/** Data of the compose app, and the service whose `volume` it becomes. */
export interface DataMount {
  readonly service: string;
  /** Name of a volume, or an absolute path of the host. */
  readonly source: string;
  /** In the container. */
  readonly target: string;
}

/** Takes notes about one service. */
export class Notes {
  constructor(
    private readonly all: Note[],
    private readonly service?: string,
  ) {}

  of(service: string): Notes {
    return new Notes(this.all, service);
  }

  lost(key: string, what: string, todo?: string): void {
    this.add("lost", key, what, todo);
  }

  changed(key: string, what: string, todo?: string): void {
    this.add("changed", key, what, todo);
  }

  todo(key: string, what: string, todo?: string): void {
    this.add("todo", key, what, todo);
  }

  private add(kind: NoteKind, key: string, what: string, todo?: string): void {
    this.all.push({
      kind,
      ...(this.service !== undefined && { service: this.service }),
      key,
      what,
      ...(todo !== undefined && { todo }),
    });
  }
}
