import { spawnSync } from "node:child_process";
import { chownSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Access } from "./access";
import { type Base, walDirectory } from "./base";
import type { Context } from "./context";
import { start } from "./flow";
import { askOnce } from "./postgres";
import { writePrivate } from "./private";
import type { Store } from "./store";

/** PostgreSQL's restore_command, and the key that it opens the log with: in memory. */
export function writeScripts(
  store: Store,
  made: Base,
  key: string,
  side: string,
): { fetch: string; identity: string; files: string[] } {
  const identity = path.join(side, "identity");
  const fetch = path.join(side, "fetch-wal");
  writePrivate(identity, `${key}\n`);
  const config = store.copyConfig(side);
  writeFileSync(fetch, fetchScript(store, made, { side, identity, config: config[0] ?? "" }), {
    mode: 0o700,
  });
  return { fetch, identity, files: [identity, fetch, ...config] };
}

/**
 * Status 1 says that there is no such file, which ends the recovery in peace; above 125 it ends with an error: what is damaged or
 * cannot be reached must not pass for the end. https://www.postgresql.org/docs/15/continuous-archiving.html
 */
function fetchScript(
  store: Store,
  { system }: Base,
  { side, identity, config }: { side: string; identity: string; config: string },
): string {
  return `#!/bin/sh
unset AWS_CA_BUNDLE
export HOME=${side}
status=0
rclone --config ${config} cat "${store.at(walDirectory(system))}/$1.zst.age" >${side}/wal.age 2>${side}/wal.log || status=$?
case $status in
  0) ;;
  3 | 4) exit 1 ;;
  *) cat ${side}/wal.log >&2; exit 255 ;;
esac
[ -s ${side}/wal.age ] || exit 1
age -d -i ${identity} -o ${side}/wal.zst ${side}/wal.age || { echo "$1 is damaged" >&2; exit 255; }
zstd -q -f -d -o "$2" ${side}/wal.zst || { echo "$1 is damaged" >&2; exit 255; }
`;
}

export interface Replay {
  readonly directory: string;
  readonly side: string;
  readonly as: NonNullable<Access["as"]>;
  readonly fetch: string;
  readonly moment: string;
}

/** A server of its own on the copied files, once it has replayed the log and takes sessions. */
export async function replay(
  { signal }: Pick<Context, "signal">,
  { directory, side, as, fetch, moment }: Replay,
): Promise<{ access: Access; stop: () => Promise<void> }> {
  writeFileSync(path.join(directory, "recovery.signal"), "");
  chownSync(path.join(directory, "recovery.signal"), as.uid, as.gid);
  const options = {
    listen_addresses: "",
    unix_socket_directories: side,
    restore_command: `sh ${fetch} %f %p`,
    ...(moment !== "end" && {
      recovery_target_time: new Date(moment).toISOString().replace("T", " ").replace("Z", "+00"),
    }),
    recovery_target_action: "promote",
    recovery_target_timeline: "current",
    hot_standby: "off",
    archive_mode: "off",
    shared_buffers: "64MB",
    fsync: "off",
    logging_collector: "off",
    log_min_messages: "warning",
  };
  const settings = Object.entries(options).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const { child, ended } = start({
    command: whileWeLive(["postgres", "-D", directory, ...settings]),
    as,
  });
  child.stdout?.resume();
  const stop = async () => {
    child.kill("SIGINT");
    await ended.catch(() => undefined);
  };
  const access = { env: { PGHOST: side, PGUSER: "postgres" }, as };
  try {
    while (!signal.aborted) {
      const up = await Promise.race([
        askOnce(access, "postgres", "SELECT pg_is_in_recovery()").catch(() => []),
        ended.then(() => Promise.reject(new Error("the server ended"))),
      ]);
      if (up[0] === "f") return { access, stop };
      await sleep(200);
    }
    throw signal.reason;
  } catch (error) {
    await stop();
    throw explained(error, moment);
  }
}

/** Killed, this process cannot stop a server, which would go on in files that the next attempt removes. */
function whileWeLive(command: readonly [string, ...string[]]): readonly [string, ...string[]] {
  const words = ["--pdeathsig", "QUIT"];
  // BusyBox's setpriv has no such option.
  const isThere = spawnSync("setpriv", [...words, "true"], { stdio: "ignore" }).status === 0;
  return isThere ? ["setpriv", ...words, ...command] : command;
}

function explained(error: unknown, moment: string): Error {
  const text = error instanceof Error ? error.message : "it failed";
  if (text.includes("before configured recovery target")) {
    return new Error(`what was archived ends before ${moment}: --to end takes all of it`);
  }
  return new Error(`the log cannot be replayed: ${text}`);
}
