import type Docker from "dockerode";
import type { NetworkSpec } from "../machines";
import type { Host } from "./host";
import { objectName } from "./names";
import { nameTable, publishNames } from "./name-server";
import { KERNEL, type Turns } from "./turns";
import { type NetworkOptions, renderNetwork, SERVICE_ADDRESS } from "./network";

/** The account's registry as the network sees it. */
export interface RegistryDoor {
  /** Host name that Droplets know it by. */
  readonly host: string;
  /** Loopback port that it listens on. */
  readonly port: number;
}

/** Packet rules and names: the API's view of the network together with what this machine adds to it. */
export class NetworkControl {
  private network: NetworkSpec | undefined;
  private registry: RegistryDoor | undefined;
  private spacesPort: number | undefined;
  private publishedNames: string | undefined;

  constructor(
    private readonly docker: Docker,
    private readonly host: Host,
    private readonly options: Omit<NetworkOptions, "registryPort" | "spacesPort">,
    private readonly turns: Turns,
  ) {}

  apply(network: NetworkSpec): Promise<void> {
    return this.turns.take(KERNEL, () => {
      this.network = network;
      return this.enforce();
    });
  }

  /** @param registry undefined where there is none. */
  openRegistry(registry: RegistryDoor | undefined): Promise<void> {
    return this.turns.take(KERNEL, () => {
      this.registry = registry;
      return this.enforce();
    });
  }

  /** @param port loopback port of the S3 server. */
  openSpaces(port: number): Promise<void> {
    return this.turns.take(KERNEL, () => {
      this.spacesPort = port;
      return this.enforce();
    });
  }

  private async enforce(): Promise<void> {
    const { network, registry, spacesPort } = this;
    if (network === undefined) return;
    const options = { ...this.options, registryPort: registry?.port, spacesPort };
    await this.host.applyRules(renderNetwork(network, options));
    const table = nameTable(network, {
      forward: options.egress === "allow",
      own: registry === undefined ? {} : { [registry.host]: [SERVICE_ADDRESS] },
    });
    if (table === this.publishedNames) return;
    const server = this.docker.getContainer(objectName(options.instance, "names"));
    await publishNames(server, table);
    this.publishedNames = table;
  }
}
