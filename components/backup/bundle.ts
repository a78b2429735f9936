import * as path from "node:path";
import { bundle } from "../bundle";

const SOURCES = [__dirname, path.join(__dirname, "../webhook.ts")];

/** The backup agent's program. */
export const backupBundle = (): Buffer =>
  bundle({
    name: "backup agent",
    entry: path.join(__dirname, "agent/main.ts"),
    sources: SOURCES,
  });

/** The program that watches over backups. */
export const watchBundle = (): Buffer =>
  bundle({
    name: "backup watcher",
    entry: path.join(__dirname, "watch/main.ts"),
    sources: SOURCES,
  });
