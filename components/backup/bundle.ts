import * as path from "node:path";
import { bundle } from "../bundle";

/** The backup agent's program. */
export const backupBundle = (): Buffer =>
  bundle({
    name: "backup agent",
    entry: path.join(__dirname, "agent/main.ts"),
    sources: __dirname,
  });
