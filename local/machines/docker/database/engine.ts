import type Docker from "dockerode";
import type { DatabaseSpec } from "../../machines";
import type { ArchiveFile } from "../files";

/** What differs between the engines of database clusters. */
export interface DatabaseEngine {
  /** Folder of its data, which lies on a Docker volume. */
  readonly dataDir: string;
  readonly stopSignal: string;
  command(database: DatabaseSpec): readonly string[];
  /** Why such a cluster cannot have a body here. */
  check(database: Pick<DatabaseSpec, "version" | "pools">): string | undefined;
  /** Configuration and secrets; names are paths from the root. */
  files(database: DatabaseSpec): readonly ArchiveFile[];
  /** Gives a running server other files. */
  load(
    container: Docker.Container,
    database: DatabaseSpec,
    files: readonly ArchiveFile[],
  ): Promise<void>;
  /** Resolves when it accepts connections. */
  ready(container: Docker.Container, database: DatabaseSpec): Promise<void>;
  /** Makes users and databases as they are wanted, where files do not say it all. */
  provision(container: Docker.Container, database: DatabaseSpec): Promise<void>;
}
