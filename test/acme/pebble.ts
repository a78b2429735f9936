import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { join } from "node:path";
import { freePorts } from "../../scripts/bench/free-port";
import { Running, eventually } from "./harness";

export interface PebbleOptions {
  /** Existing directory for its files. */
  readonly dir: string;
  /** IPv4 address that its clients know it by. */
  readonly address: string;
  /** Ports at which it asks for challenges. */
  readonly challengePorts: { readonly http: number; readonly https: number };
  /** `address:port` of the DNS server it believes. */
  readonly dns: string;
  /** How long its certificates live. @default Pebble's five years */
  readonly lifetimeSeconds?: number;
}

/** Pebble, Let's Encrypt's test server, on loopback. */
export class Pebble {
  private constructor(
    private readonly process: Running,
    /** Port of the ACME directory, `/dir`. */
    readonly port: number,
    /** PEM that its own certificate is to be trusted by. */
    readonly caPem: string,
    private readonly managementPort: number,
  ) {}

  static async start(options: PebbleOptions): Promise<Pebble> {
    const [port = 0, managementPort = 0] = await freePorts(2);
    const key = join(options.dir, "pebble.key");
    const certificate = join(options.dir, "pebble.pem");
    const names = `subjectAltName=IP:127.0.0.1,IP:${options.address}`;
    const made = spawnSync(
      "openssl",
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=pebble"
        .split(" ")
        .concat("-addext", names, "-keyout", key, "-out", certificate),
    );
    expect(made.status).toBe(0);
    const config = join(options.dir, "pebble.json");
    writeFileSync(
      config,
      JSON.stringify({
        pebble: {
          listenAddress: `127.0.0.1:${port}`,
          managementListenAddress: `127.0.0.1:${managementPort}`,
          certificate,
          privateKey: key,
          httpPort: options.challengePorts.http,
          tlsPort: options.challengePorts.https,
          certificateValidityPeriod: options.lifetimeSeconds,
        },
      }),
    );
    const process = new Running("pebble", ["-config", config, "-dnsserver", options.dns], {
      PEBBLE_VA_NOSLEEP: "1",
    });
    const pebble = new Pebble(process, port, readFileSync(certificate, "utf8"), managementPort);
    await eventually(20, () => pebble.rootPem());
    return pebble;
  }

  /** PEM of the root that the issued certificates come from; another one after each start. */
  rootPem(): Promise<string> {
    const url = `https://127.0.0.1:${this.managementPort}/roots/0`;
    return new Promise((resolve, reject) => {
      const outgoing = get(url, { ca: this.caPem, agent: false }, (response) => {
        let body = "";
        response.on("data", (chunk: Buffer) => (body += chunk.toString()));
        response.once("end", () => resolve(body));
      });
      outgoing.once("error", reject);
    });
  }

  stop(): Promise<void> {
    return this.process.stop();
  }
}
