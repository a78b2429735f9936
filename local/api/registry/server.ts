import type { IncomingHttpHeaders } from "node:http";
import { request } from "node:https";
import type { Context } from "../context";
import { Rounds } from "../rounds";
import { accessOf, registryHost, registrySpec, setAccess } from "./model";

/** Days that the server's certificate holds. */
const certificateDays = 3000;
const timeoutMilliseconds = 10_000;

const manifestTypes = [
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.oci.image.index.v1+json",
].join(", ");

export interface RegistryAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** The account's registry server: keeps it equal to the state, and asks it for what it holds. */
export class RegistryServer {
  private readonly rounds = new Rounds(() => this.apply());
  private port: number | undefined;
  private applied = false;

  constructor(private readonly context: () => Context) {}

  /** Resolves when there is a server as the state wants it, or none. */
  sync(): Promise<void> {
    return this.rounds.run();
  }

  /**
   * Asks the server by the registry protocol.
   *
   * @param path below `/v2/`.
   * @returns undefined where registries have no body.
   * @see https://distribution.github.io/distribution/spec/api/
   */
  async ask(method: "GET" | "DELETE", path: string): Promise<RegistryAnswer | undefined> {
    // After a restart the port is not known yet.
    if (!this.applied) await this.sync();
    const { port } = this;
    const { store, authority } = this.context();
    const access = accessOf(store);
    if (port === undefined || !access) return undefined;
    return new Promise((resolve, reject) => {
      const asked = request(
        {
          method,
          host: "127.0.0.1",
          port,
          path: `/v2/${path}`,
          servername: registryHost,
          ca: authority.pem,
          auth: `${access.username}:${access.password}`,
          headers: { accept: manifestTypes, host: registryHost },
          timeout: timeoutMilliseconds,
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", reject);
          response.on("end", () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: Buffer.concat(chunks),
            }),
          );
        },
      );
      asked.on("timeout", () => asked.destroy(new Error("the container registry does not answer")));
      asked.on("error", reject);
      asked.end();
    });
  }

  private async apply(): Promise<void> {
    const { store, machines, authority } = this.context();
    if (store.registries.count() > 0 && !accessOf(store)) {
      const { keyPem, leafPem } = await authority.issue([registryHost], certificateDays);
      const tls = { keyPem, certificatePem: `${leafPem}${authority.pem}` };
      store.transaction(() => setAccess(store, tls));
    }
    this.port = await machines.applyRegistry(registrySpec(store));
    this.applied = true;
  }
}
