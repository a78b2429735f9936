import * as path from "node:path";
import { bundle, loader } from "../bundle";

const AGENT = path.join(__dirname, "agent");

/** The edge-agent, gzipped. It shares the settings and HAProxy's configuration with the program: both are beside it. */
export function agentBundle(): Buffer {
  return bundle({
    name: "edge-agent",
    entry: path.join(AGENT, "main.ts"),
    sources: [__dirname, path.join(__dirname, "../webhook.ts")],
    stubs: {
      "mime-db": path.join(AGENT, "stubs", "mime-db.cjs"),
      "node-forge": path.join(AGENT, "stubs", "node-forge.cjs"),
    },
  });
}

/** How the container starts it, with the bundle mounted at /edge-agent.js.gz. */
export const AGENT_LOADER = loader("/edge-agent.js.gz");
