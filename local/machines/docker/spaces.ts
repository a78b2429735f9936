import type Docker from "dockerode";
import { hasS3Program, s3Program } from "../../s3/program";
import type { SpacesDoor, SpacesSpec } from "../machines";
import { type BodyHost, ensureBody, isSettled, settingsDigest, settle } from "./body";
import { execOrThrow, orMissing } from "./engine";
import type { ArchiveFile } from "./files";
import { onLoopback } from "./loopback-port";
import { objectLabels, objectName } from "./names";
import { SERVICE_ADDRESS, SPACES_PORT } from "./network";
import type { NetworkControl } from "./network-control";
import { PORT_LABEL } from "./services";
import { identities } from "./spaces-identities";

const CONFIG_DIR = "/etc/archipelago/spaces";
const IDENTITIES = `${CONFIG_DIR}/iam.json`;
const DATA_DIR = "/var/lib/spaces";
const MEMORY = 512 * 2 ** 20;
const START_TIMEOUT_MS = 20_000;

/**
 * The account's buckets: an S3 server (versitygw) on a loopback port of this machine that the network rules lead
 * Droplets to. Objects lie on a Docker volume, as plain files.
 */
export class Spaces {
  constructor(
    private readonly docker: Docker,
    private readonly host: BodyHost,
    private readonly network: NetworkControl,
  ) {}

  /** @throws {Error} with the remedy, when set-up has not made its program. */
  apply(spaces: SpacesSpec): Promise<SpacesDoor> {
    return this.host.turns.take("spaces", async () => {
      if (!hasS3Program()) {
        throw new Error(
          "the S3 server's program is missing; run `npm run local -- spaces` to have it made",
        );
      }
      const port = await onLoopback(this.docker, this.name, "the S3 server", (port) =>
        this.serve(spaces, port),
      );
      await this.network.openSpaces(port);
      return {
        endpoint: `http://127.0.0.1:${port}`,
        dropletEndpoint: `http://${SERVICE_ADDRESS}:${SPACES_PORT}`,
      };
    });
  }

  /** @throws {Error} when there ought to be one and its files are gone. */
  async restore(spaces: SpacesSpec | undefined): Promise<void> {
    if (spaces === undefined) return;
    const volume = await orMissing(this.docker.getVolume(this.name).inspect());
    if (volume === undefined) throw new Error("its files are gone");
    await this.apply(spaces);
  }

  private async serve({ keys }: SpacesSpec, port: number): Promise<boolean> {
    const container = this.docker.getContainer(this.name);
    const Labels = objectLabels(this.host.instance, "spaces");
    const files = spacesFiles(identities(keys), port);
    const digest = settingsDigest(files);
    await this.docker.createVolume({ Name: this.name, Labels });
    const options: Docker.ContainerCreateOptions = {
      name: this.name,
      Image: this.host.image,
      Cmd: ["sh", `${CONFIG_DIR}/start`],
      Labels: { ...Labels, [PORT_LABEL]: String(port) },
      HostConfig: {
        NetworkMode: "host",
        Memory: MEMORY,
        MemorySwap: MEMORY,
        Binds: [`${this.name}:${DATA_DIR}`],
        Mounts: [
          { Type: "bind", Source: s3Program(), Target: "/usr/local/bin/versitygw", ReadOnly: true },
        ],
        RestartPolicy: { Name: "unless-stopped" },
        LogConfig: { Type: "json-file", Config: { "max-size": "1m", "max-file": "1" } },
      },
    };
    const found = (await ensureBody(this.docker, options, files)) === "found";
    if (!(await answers(port))) return false;
    if (found) {
      if (await isSettled(container, digest)) return true;
      await publish(container, identities(keys));
    }
    await settle(container, digest);
    return true;
  }

  /** Of its container, and of its volume. */
  private get name(): string {
    return objectName(this.host.instance, "spaces");
  }
}

/** The server looks into the file for each request, so that a key works, or does not, from the next one on. */
async function publish(container: Docker.Container, content: string): Promise<void> {
  const script = 'umask 077; cat > "$1.next" && mv "$1.next" "$1"';
  const command = ["sh", "-euc", script, "sh", IDENTITIES];
  await execOrThrow(container, "publish the keys for Spaces", command, content);
}

function spacesFiles(content: string, port: number): readonly ArchiveFile[] {
  return [
    { name: `${CONFIG_DIR}/start`, content: start(port) },
    { name: IDENTITIES, content },
  ].map((file) => ({ ...file, name: file.name.slice(1), mode: 0o600 }));
}

/**
 * Two processes of one program: who may do what, and the buckets. Neither goes on without the other. Its own root
 * account owns the buckets, and its secret, which nobody needs, is another one at each start.
 */
function start(port: number): string {
  return `set -eu
umask 077
mkdir -p ${DATA_DIR}/buckets ${DATA_DIR}/versions
cd ${CONFIG_DIR}
rm -f control identities
export ROOT_ACCESS_KEY=archipelago
ROOT_SECRET_KEY=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \\n')
export ROOT_SECRET_KEY
{
  versitygw --quiet --port ${CONFIG_DIR}/control iam --dir ${CONFIG_DIR} --private-ports ${CONFIG_DIR}/identities || :
  kill $$
} &
# The server would look for it once in two seconds only.
while [ ! -S identities ]; do sleep 0.1; done
exec versitygw --quiet --port 127.0.0.1:${port} --iam-standalone-endpoint ${CONFIG_DIR}/identities \\
  posix --versioning-dir ${DATA_DIR}/versions ${DATA_DIR}/buckets
`;
}

/** Whether the server refuses a stranger on a loopback port before time is up. */
async function answers(port: number): Promise<boolean> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline) {
    const status = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(2000) })
      .then((response) => response.status)
      .catch(() => undefined);
    if (status === 403) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}
