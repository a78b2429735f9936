import { connect } from "node:net";

/** What became of a reload. `detail` is HAProxy's own words where it gives them (2.7 and later). */
export interface ReloadResult {
  readonly ok: boolean;
  readonly detail: string;
}

/** The commands of HAProxy's master process that the agent needs. */
export interface HaproxyControl {
  /** True when the master answers. */
  alive(): Promise<boolean>;
  /** `show servers state` of the running worker, for the next one to start with. */
  serversState(): Promise<string>;
  reload(): Promise<ReloadResult>;
}

const ANSWER_TIMEOUT_MS = 10_000;
const RELOAD_POLLS = 50;
const POLL_MS = 100;

/** HAProxy's master CLI on a unix socket (management guide, "Master CLI"). */
export class MasterSocket implements HaproxyControl {
  constructor(private readonly path: string) {}

  async alive(): Promise<boolean> {
    try {
      return (await this.ask("show proc")).includes("master");
    } catch {
      return false;
    }
  }

  serversState(): Promise<string> {
    return this.ask("@1 show servers state");
  }

  /**
   * Reads the configuration again. HAProxy 2.7 and later answer with the result; before, the master closes the socket,
   * starts itself anew and counts failures in `show proc`. A refused configuration leaves the old workers serving.
   */
  async reload(): Promise<ReloadResult> {
    const answer = await this.ask("reload").catch(() => "");
    if (/^Success=1/m.test(answer)) return { ok: true, detail: "" };
    if (/^Success=0/m.test(answer)) {
      return { ok: false, detail: answer.replace(/^Success=0\s*(--)?\s*/m, "").trim() };
    }
    for (let poll = 0; poll < RELOAD_POLLS; poll++) {
      const processes = await this.ask("show proc").catch(() => "");
      const failed = /\[failed: (\d+)\]/.exec(processes)?.[1];
      if (failed !== undefined) {
        return failed === "0"
          ? { ok: true, detail: "" }
          : { ok: false, detail: "HAProxy refused the configuration; its log says why" };
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    return { ok: false, detail: "HAProxy's master process did not answer after the reload" };
  }

  private ask(command: string): Promise<string> {
    return new Promise((resolve, reject) => {
      let answer = "";
      const socket = connect(this.path, () => socket.end(`${command}\n`));
      socket.setEncoding("utf8");
      socket.setTimeout(ANSWER_TIMEOUT_MS, () =>
        socket.destroy(new Error(`HAProxy did not answer "${command}"`)),
      );
      socket.on("data", (chunk: string) => (answer += chunk));
      socket.on("error", reject);
      socket.on("close", () => resolve(answer));
    });
  }
}
