/** Both places for a drill's backups: the stack's own bucket, and one beside it, whose objects can be hurt. */
import { AwsClient } from "aws4fetch";
import type { Ground } from "./ground";

const SECOND = "drill-second";

export class BackupPlaces {
  private constructor(
    private readonly client: AwsClient,
    private readonly endpoint: string,
    /** As a stack file says it. */
    readonly second: Readonly<Record<string, unknown>>,
  ) {}

  /** @param door where Droplets find the second place. @default where they find the first */
  static async open(ground: Ground, door?: string): Promise<BackupPlaces> {
    const spaces = await ground.spaces();
    const keys = {
      accessKeyId: spaces.SPACES_ACCESS_KEY_ID,
      secretAccessKey: spaces.SPACES_SECRET_ACCESS_KEY,
    };
    const client = new AwsClient({ ...keys, service: "s3", region: "us-east-1", retries: 3 });
    const endpoint = spaces.SPACES_ENDPOINT_URL;
    const { status } = await client.fetch(`${endpoint}/${SECOND}`, { method: "PUT" });
    // It is there already where a drill was kept.
    if (status !== 200 && status !== 409) throw new Error(`no bucket was made: HTTP ${status}`);
    return new BackupPlaces(client, endpoint, {
      s3: {
        endpoint: door ?? spaces.ARCHIPELAGO_FILES_ENDPOINT,
        bucket: SECOND,
        accessKey: keys.accessKeyId,
        secretKey: keys.secretAccessKey,
      },
    });
  }

  /** An object of the second place. @param file below the stack's directory. */
  async read(file: string): Promise<Buffer> {
    const response = await this.ask("GET", file);
    return Buffer.from(await response.arrayBuffer());
  }

  async write(file: string, bytes: Buffer): Promise<void> {
    await this.ask("PUT", file, bytes);
  }

  async remove(file: string): Promise<void> {
    await this.ask("DELETE", file);
  }

  private async ask(method: string, file: string, body?: Buffer): Promise<Response> {
    const url = `${this.endpoint}/${SECOND}/drill/${file}`;
    const response = await this.client.fetch(url, { method, ...(body && { body }) });
    if (!response.ok) throw new Error(`${method} ${file}: HTTP ${response.status}`);
    return response;
  }
}
