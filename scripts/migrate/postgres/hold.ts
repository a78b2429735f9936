/** Keeps an app's sessions waiting at one PgBouncer, for as long as somebody holds it. */
import { PassThrough } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { PsqlError, type StartPsql } from "../psql";
import type { Poolers } from "./switch";

/**
 * What runs beside PgBouncer. Its input is the life line: at its end, whoever held the other one, sessions begin again.
 *
 * A login that PAUSE catches on its way counts as failed, and PgBouncer refuses new clients until another one succeeds. So
 * none is begun any more (max_db_connections, which nothing else sets), and those on their way arrive, before it pauses. That it has begun
 * to is known by another PAUSE, which is refused: SHOW STATE came after 1.18.
 */
const SCRIPT = `
admin() { psql -X -q -A -t -v ON_ERROR_STOP=1 -d pgbouncer "$@"; }
echo ready
if read -r go; then
  admin -c 'SET max_db_connections = 1' >&2
  for i in $(seq 100); do
    admin -x -c 'SHOW POOLS' | grep -q '^sv_login|[1-9]' || break
    sleep 0.02
  done
  psql -X -q -v ON_ERROR_STOP=1 -d pgbouncer -c PAUSE -c '\\echo empty' 2>&1 & one=$!
  psql -X -q -v ON_ERROR_STOP=1 -d pgbouncer -c PAUSE -c '\\echo empty' 2>&1 & other=$!
  cat >/dev/null
fi
sh "$1" >/dev/null 2>&1
admin -c 'SET max_db_connections = 0' -c RELOAD >/dev/null 2>&1
if said=$(admin -c RESUME 2>&1); then code=0; else code=1; fi
kill \${one:-} \${other:-} 2>/dev/null
case $code$said in
  0* | *'is not paused'*) ;;
  *) echo "$said" >&2; exit 1 ;;
esac`;

/** How long it may take for what waits for nobody; a server's login may, for two seconds. */
const ANSWER_MS = 10_000;

/** Words of the command to run with libpq's variables for the console. @param choose path of a script that leads PgBouncer to its server. */
export const holdCommand = (choose: string): string[] => ["sh", "-c", SCRIPT, "hold", choose];

export class Hold {
  private readonly input = new PassThrough();
  private readonly ended: Promise<number>;
  private stdout = "";
  private stderr = "";
  private isOver = false;
  private wake: () => void = () => undefined;

  /** @param start runs `holdCommand`. */
  constructor(start: StartPsql) {
    const over = () => {
      this.isOver = true;
      this.wake();
    };
    this.ended = start({
      stdin: this.input,
      onStdout: (chunk) => {
        this.stdout += chunk.toString();
        this.wake();
      },
      onStderr: (chunk) => (this.stderr += chunk.toString()),
    });
    this.ended.then(over, over);
  }

  /** Resolves when it runs, and needs but a word. @throws {PsqlError} when it does not. */
  async ready(): Promise<void> {
    await this.until(() => this.stdout.includes("ready\n"), ANSWER_MS);
  }

  /** Resolves when no session begins any longer. @throws {PsqlError} when PgBouncer does not pause. */
  async pause(): Promise<void> {
    this.input.write("go\n");
    await this.until(() => this.refusals > 0, ANSWER_MS);
  }

  /** Resolves when the last session has ended; at once where another hold has PgBouncer, which was left behind. */
  async empty(): Promise<void> {
    await this.until(() => this.stdout.includes("empty\n") || this.refusals > 1);
  }

  /** Lets sessions begin, on the server that lets the app in. @throws {PsqlError} when they do not. */
  async release(): Promise<void> {
    this.input.end();
    const code = await this.ended;
    if (code !== 0) throw new PsqlError(this.stderr.trim() || `PgBouncer's console: ${code}`);
  }

  private get refusals(): number {
    return this.stdout.split("already suspended/paused").length - 1;
  }

  private async until(isTrue: () => boolean, ms = Infinity): Promise<void> {
    const end = Date.now() + ms;
    while (!isTrue()) {
      if (this.isOver || Date.now() > end) {
        throw new PsqlError(`PgBouncer does not pause: ${(this.stdout + this.stderr).trim()}`);
      }
      const changed = new Promise<void>((resolve) => (this.wake = resolve));
      await Promise.race([changed, delay(100)]);
    }
  }
}

/** All poolers before two servers. */
export class HeldPoolers implements Poolers {
  private holds: Hold[] = [];

  /** @param starts how `holdCommand` is run beside each. */
  constructor(private readonly starts: readonly StartPsql[]) {}

  async open() {
    this.holds = this.starts.map((start) => new Hold(start));
    await Promise.all(this.holds.map((hold) => hold.ready()));
  }

  async pause() {
    await Promise.all(this.holds.map((hold) => hold.pause()));
    return { empty: Promise.all(this.holds.map((hold) => hold.empty())).then(() => undefined) };
  }

  async resume() {
    await Promise.all(this.holds.map((hold) => hold.release()));
  }
}
