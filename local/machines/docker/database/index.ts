import type Docker from "dockerode";
import type { DatabaseSpec } from "../../machines";
import {
  bodyContainer,
  type BodyHost,
  ensureBody,
  isSettled,
  lastWords,
  removeBody,
  settingsDigest,
  settle,
} from "../body";
import { limits } from "../droplet-container";
import { engineMessage, orMissing } from "../engine";
import { objectLabels, objectName } from "../names";
import type { DatabaseEngine } from "./engine";
import { postgres } from "./postgres";
import { valkey } from "./valkey";

const ENGINES: Readonly<Record<DatabaseSpec["engine"], DatabaseEngine>> = { pg: postgres, valkey };
const SHARED_MEMORY = 256 * 2 ** 20;

/** Why such a cluster cannot have a body here. */
export const checkDatabase = (
  database: Pick<DatabaseSpec, "engine" | "version" | "pools">,
): string | undefined => ENGINES[database.engine].check(database);

/** Database clusters: a real server each, whose data lie on a Docker volume and outlive its container. */
export class Databases {
  constructor(
    private readonly docker: Docker,
    private readonly host: BodyHost,
  ) {}

  /**
   * Makes or changes a cluster. Another size, port or address is another container over the same data, as
   * clients see it on DigitalOcean: a short break.
   */
  apply(database: DatabaseSpec): Promise<void> {
    return this.host.turns.take(database.id, () => this.bring(database));
  }

  /** @throws {Error} when its data are gone: an empty cluster in its place would be a lie. */
  async restore(database: DatabaseSpec): Promise<void> {
    const volume = this.docker.getVolume(this.name(database.id));
    if ((await orMissing(volume.inspect())) === undefined) throw new Error("its data are gone");
    await this.apply(database);
  }

  /** Deletes its data, too; fine when it is gone. */
  delete(id: string): Promise<void> {
    return this.host.turns.take(id, async () => {
      await removeBody(this.docker, this.name(id));
      await orMissing(this.docker.getVolume(this.name(id)).remove());
    });
  }

  private async bring(database: DatabaseSpec): Promise<void> {
    const engine = ENGINES[database.engine];
    const impossible = checkDatabase(database);
    if (impossible !== undefined) throw new Error(impossible);
    const { id, vpcId, privateIp } = database;
    const { docker } = this;
    const { instance, image } = this.host;
    const volume = this.name(id);
    const files = engine.files(database);
    const digest = settingsDigest(files, [database.users, database.databases]);
    const options = bodyContainer({
      instance,
      role: "database",
      id,
      vpcId,
      privateIp,
      image,
      command: engine.command(database),
      stopSignal: engine.stopSignal,
      host: {
        ...limits(database),
        Init: true,
        ShmSize: SHARED_MEMORY,
        Binds: [`${volume}:${engine.dataDir}`],
      },
    });
    await docker.createVolume({ Name: volume, Labels: objectLabels(instance, "database", id) });
    const fresh = (await ensureBody(docker, options, files)) === "made";
    const container = docker.getContainer(volume);
    const settled = !fresh && (await isSettled(container, digest));
    if (!fresh && !settled) await engine.load(container, database, files);
    await engine.ready(container, database).catch(async (error: unknown) => {
      throw new Error(`${engineMessage(error)}; it said: ${await lastWords(container)}`);
    });
    if (settled) return;
    await engine.provision(container, database);
    await settle(container, digest);
  }

  /** Of its container, and of its volume. */
  private name(id: string): string {
    return objectName(this.host.instance, "database", id);
  }
}
