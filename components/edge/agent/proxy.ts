import { existsSync } from "node:fs";
import { join } from "node:path";
import { renderHaproxyConfig } from "../haproxy-config";
import { nodeStateFile, renderNodeState } from "../node-state";
import { renderPages } from "../pages";
import type { EdgeSettings } from "../settings";
import { type Certificate, publishCertificates } from "./certificates";
import { readIfThere, writeWhole } from "./files";
import type { HaproxyControl } from "./haproxy";
import { type Log, type Severity, messageOf } from "./log";

/** What HAProxy runs with. `error` is undefined while it runs what the settings say. */
export interface ProxyState {
  readonly applied: boolean;
  readonly error: string | undefined;
  /** True when HAProxy refused the configuration: trying again at once would not help. */
  readonly refused: boolean;
  /** Reloads since the agent started. */
  readonly reloads: number;
}

/**
 * Keeps HAProxy's files in step with the settings and certificates, and reloads it without dropping a connection.
 *
 * HAProxy itself checks a new configuration: it loads it into a new worker and keeps the old ones when it cannot. The
 * last good file is then put back, so that a restart of the container finds one that works.
 */
export class Proxy {
  private state: ProxyState = { applied: false, error: "not started", refused: false, reloads: 0 };
  private readonly config: string;
  private readonly good: string;

  constructor(
    private readonly settings: EdgeSettings,
    private readonly haproxy: HaproxyControl,
    private readonly log: Log,
  ) {
    this.config = join(settings.runDir, "haproxy.cfg");
    this.good = join(settings.runDir, "haproxy.good.cfg");
  }

  get current(): ProxyState {
    return this.state;
  }

  /** Brings HAProxy to this set of certificates; does nothing when it already runs with them. Never throws. */
  async apply(certificates: readonly Certificate[]): Promise<void> {
    try {
      await this.change(certificates);
    } catch (error) {
      this.fail("proxy.failed", messageOf(error));
    }
  }

  private async change(certificates: readonly Certificate[]): Promise<void> {
    const { runDir, routes } = this.settings;
    const text = renderHaproxyConfig(this.settings, certificates);
    if (this.state.applied && readIfThere(this.good) === text) return;
    for (const [file, page] of renderPages(routes.map((route) => route.service))) {
      writeWhole(join(runDir, "errors", file), page);
    }
    writeWhole(nodeStateFile(runDir), renderNodeState(runDir));
    publishCertificates(runDir, certificates);
    writeWhole(this.config, text);
    if (!(await this.haproxy.alive())) {
      this.fail("proxy.waiting", "waiting for HAProxy to start", "info");
      return;
    }
    if (readIfThere(this.good) === text) {
      this.state = { ...this.state, applied: true, refused: false, error: undefined };
      return;
    }
    await this.reload(text);
  }

  private async reload(text: string): Promise<void> {
    const before = readIfThere(this.good);
    await this.keepServersState();
    const result = await this.haproxy.reload();
    this.state = { ...this.state, reloads: this.state.reloads + 1 };
    if (result.ok) {
      writeWhole(this.good, text);
      this.state = { ...this.state, applied: true, refused: false, error: undefined };
      this.log("info", "proxy.reloaded");
      return;
    }
    if (before !== undefined && existsSync(this.good)) {
      writeWhole(this.config, before);
      await this.haproxy.reload();
    }
    this.fail("proxy.refused", result.detail);
    this.state = { ...this.state, refused: true };
  }

  /** The next worker starts with the servers the last one knew, instead of answering 503 until DNS has answered. */
  private async keepServersState() {
    const state = await this.haproxy.serversState();
    if (/^\d+\n#/.test(state)) writeWhole(join(this.settings.runDir, "server-state"), state);
  }

  private fail(event: string, error: string, severity: Severity = "error") {
    if (this.state.error !== error) this.log(severity, event, { error });
    this.state = { ...this.state, applied: false, refused: false, error };
  }
}
