import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SERVICE_ADDRESS } from "../../local/machines/docker/network";
import { loopbackDns } from "../acme/harness";
import { Pebble } from "../acme/pebble";
import { succeeded, type LocalCloud } from "../program/support/cloud";

interface Records {
  readonly domain_records: readonly { type: string; name: string; data: string }[];
}

/** A certificate authority outside the local DigitalOcean that believes what the account's DNS records say. */
export class Authority {
  private constructor(
    private readonly pebble: Pebble,
    private readonly close: () => void,
  ) {}

  /** Starts it, and leads the Droplets of `cloud` to it. @param zone a domain of the account. */
  static async start(cloud: LocalCloud, zone: string): Promise<Authority> {
    const dir = mkdtempSync(join(tmpdir(), "archipelago-pebble-"));
    const dns = await loopbackDns(async (name) => {
      const host = name === zone ? "@" : name.slice(0, -zone.length - 1);
      const found = await cloud.api<Records>("GET", `/v2/domains/${zone}/records`);
      const record = found.domain_records.find((one) => one.type === "A" && one.name === host);
      if (!record) throw new Error(`${zone} has no A record for ${host}`);
      return [record.data];
    });
    const pebble = await Pebble.start({
      dir,
      address: SERVICE_ADDRESS,
      challengePorts: { http: 80, https: 443 },
      dns: dns.address,
    });
    succeeded(await cloud.local("api", "--acme-port", String(pebble.port)));
    return new Authority(pebble, () => {
      dns.close();
      rmSync(dir, { recursive: true, force: true });
    });
  }

  /** What a stack file says under `domain` to get certificates here. */
  get settings() {
    return { acmeDirectory: `https://${SERVICE_ADDRESS}:14000/dir`, acmeCa: this.pebble.caPem };
  }

  /** PEM that a browser would have to trust. */
  rootPem(): Promise<string> {
    return this.pebble.rootPem();
  }

  async stop(): Promise<void> {
    await this.pebble.stop();
    this.close();
  }
}
