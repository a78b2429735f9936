import { join } from "node:path";

/** Written by the proxy's own script or its drain command, read at each health check. */
const STARTED = "started";
const DRAINING = "draining";

/** How long a node that has just started may wait for its backends before it takes requests all the same, seconds. */
const WARM_UP_SECONDS = 10;

/** HAProxy's sample fetch for the state of this node: `draining`, `starting` or `ok`. */
export const NODE_STATE_FETCH = "lua.node_state";

/** Set when some service has no task that answers. */
export const WAITING_VARIABLE = "txn.waiting";

/** Asked to stop, the node fails its health check at once; epoch seconds of that moment. */
export const drainingFile = (runDir: string) => join(runDir, DRAINING);

/** Epoch seconds at which HAProxy was started; reloads do not change it. Gone once the node has taken requests. */
export const startedFile = (runDir: string) => join(runDir, STARTED);

/** Where the agent puts the program below. */
export const nodeStateFile = (runDir: string) => join(runDir, "node-state.lua");

/**
 * Lua 5.3 for HAProxy. A file is the one thing that a signal handler, a command in the container and every worker, old
 * or new, agree on: variables and sockets are lost with a reload.
 */
export function renderNodeState(runDir: string): string {
  return [
    "local function read(path)",
    '  local file = io.open(path, "r")',
    "  if file == nil then return nil end",
    '  local text = file:read("l")',
    "  file:close()",
    "  return tonumber(text) or 0",
    "end",
    "",
    'core.register_fetches("node_state", function(txn)',
    `  if read("${drainingFile(runDir)}") ~= nil then return "draining" end`,
    `  local started = read("${startedFile(runDir)}")`,
    '  if started == nil then return "ok" end',
    `  local warm = os.time() - started >= ${WARM_UP_SECONDS}`,
    `  if txn:get_var("${WAITING_VARIABLE}") and not warm then return "starting" end`,
    `  os.remove("${startedFile(runDir)}")`,
    '  return "ok"',
    "end)",
    "",
  ].join("\n");
}
