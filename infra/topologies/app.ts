import * as pulumi from "@pulumi/pulumi";
import type { ContainerArgs } from "../../components/app/container";
import { AppService } from "../../components/app-service";
import type { Files } from "../../components/files";
import { IMAGES, pulledImage } from "../../components/images";
import type { RegistryLogin } from "../../components/registry";
import { Scheduler } from "../../components/scheduler/scheduler";
import type { RolloutTarget } from "../../components/service-defaults";
import type { Config } from "../config";
import { databaseOf } from "../databases";
import { VOLUME_MOUNT } from "../names";
import type { ServedCache } from "./cache";
import type { ServedDatabase } from "./database";
import type { OnSwarm } from "./on-swarm";

/** What services run on and with. */
export interface AppPlace extends Pick<ContainerArgs, "root" | "repository" | "builders"> {
  readonly onSwarm: OnSwarm;
  readonly login: RegistryLogin | undefined;
  readonly database: ServedDatabase | undefined;
  readonly cache: ServedCache | undefined;
  readonly files: Files | undefined;
}

/** The services of the stack file. */
export interface App {
  readonly targets: readonly RolloutTarget[];
  /** Running images by service. */
  readonly images: Readonly<Record<string, pulumi.Output<string>>>;
}

/** Those with a schedule are run by one more service. */
export function makeApp(config: Config, place: AppPlace): App {
  const { onSwarm, login, root, repository, builders, database, cache, files } = place;
  const { networkId, connection, volumeNodeId } = onSwarm;
  const after = [database?.ready, cache?.ready].filter((one) => one !== undefined);
  const all = Object.entries(config.services).map(([name, service]) => {
    const url = database?.urls[databaseOf(name, config) ?? ""];
    const given = { ...(url && { database_url: url }), ...cache?.given, ...files?.given };
    const volume = { directory: `${VOLUME_MOUNT}/services/${name}`, nodeId: volumeNodeId };
    return { name, service, root, repository, builders, given, told: files?.told, volume };
  });
  const services = all
    .filter(({ service }) => service.schedule === undefined)
    .map(({ name, ...args }) => {
      const common = { networkId, connection, login, after };
      return { name, app: new AppService(name, { ...args, ...common }, onSwarm.onSwarm) };
    });
  const jobs = all.filter(({ service }) => service.schedule !== undefined);
  const scheduler =
    jobs.length > 0
      ? new Scheduler(
          "scheduler",
          {
            nodeImage: pulledImage("scheduler", IMAGES.node, onSwarm.child),
            networkId,
            jobs,
            login,
            after,
          },
          onSwarm.onSwarm,
        )
      : undefined;
  return {
    targets: [
      ...services.map(({ app }) => app.target),
      ...(scheduler === undefined ? [] : [scheduler.target]),
    ],
    images: {
      ...Object.fromEntries(services.map(({ name, app }) => [name, app.image])),
      ...scheduler?.images,
    },
  };
}
