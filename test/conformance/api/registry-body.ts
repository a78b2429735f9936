import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { RegistrySpec } from "../../../local/machines/machines";
import { Simulated } from "../../../local/machines/simulated";

const image = {
  config: { digest: "sha256:c0", size: 10 },
  layers: [
    { digest: "sha256:10", size: 100 },
    { digest: "sha256:11", size: 200 },
  ],
};

/** Machines whose registry answers like Docker's own with a few images; what a client needs of that protocol. */
export class WithRegistry extends Simulated {
  /** Digest by tag, by repository. */
  readonly images = new Map<string, Map<string, string>>();
  private server: Server | undefined;

  override async applyRegistry(registry?: RegistrySpec): Promise<undefined> {
    if (!registry) {
      this.images.clear();
      this.server?.close();
      this.server = undefined;
      return undefined;
    }
    this.server ??= await this.serve(registry);
    // `Simulated` has none, and says so in its type.
    return (this.server.address() as AddressInfo).port as unknown as undefined;
  }

  override close(): Promise<void> {
    this.server?.close();
    return super.close();
  }

  private serve({ tls, username, password }: RegistrySpec): Promise<Server> {
    const login = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
    const server = createServer(
      { key: tls.keyPem, cert: tls.certificatePem },
      ({ method = "", url = "", headers }, response) => {
        const { status, digest, body } =
          headers.authorization === login ? this.answer(method, url) : { status: 401 };
        if (digest !== undefined) response.setHeader("docker-content-digest", digest);
        response.writeHead(status).end(JSON.stringify(body ?? {}));
      },
    );
    return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
  }

  private answer(
    method: string,
    url: string,
  ): { status: number; digest?: string | undefined; body?: object } {
    if (url.startsWith("/v2/_catalog"))
      return { status: 200, body: { repositories: [...this.images.keys()] } };
    const [, repository = "", kind = "", name = ""] =
      /^\/v2\/(.+)\/(tags|manifests|blobs)\/(.+)$/.exec(url) ?? [];
    const tags = this.images.get(repository);
    if (!tags) return { status: 404 };
    if (kind === "tags")
      return { status: 200, body: { tags: tags.size ? [...tags.keys()] : null } };
    if (kind === "blobs") return { status: 200, body: { created: "2026-01-02T03:04:05.678Z" } };
    if (method === "GET") return { status: 200, digest: tags.get(name), body: image };
    for (const [tag, digest] of tags) if (digest === name) tags.delete(tag);
    return { status: 202 };
  }
}
