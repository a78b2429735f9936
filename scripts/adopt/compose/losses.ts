/** Says of each key of a service that has no place in a stack file what becomes of it. */
import type { Notes } from "./conversion";
import { lossOf } from "./keys";
import type { ComposeService } from "./service";
import { isMapping, isTrue, listOf, mappingOf, secondsOf, textOf } from "./values";

export function noteLosses(said: ComposeService, notes: Notes): void {
  const { raw } = said;
  for (const [key, value] of Object.entries(raw)) {
    const loss = lossOf(key);
    if (loss && !isEmpty(value)) notes.lost(key, loss.why, loss.todo);
  }
  const deploy = mappingOf(raw.deploy);
  if (textOf(deploy.mode)?.startsWith("global")) {
    notes.lost(
      "deploy.mode",
      "a service has a number of tasks, not one for each node",
      "set replicas",
    );
  }
  if (!isEmpty(deploy.placement)) {
    notes.lost("deploy.placement", "tasks go to any node", "nothing, on one node");
  }
  if (textOf(raw.restart) === "no" && raw.depends_on === undefined && said.ports.length === 0) {
    notes.todo(
      "restart",
      "a task that ends is started again",
      "if it runs once, make it `release` or `schedule` of a service",
    );
  }
  const grace = textOf(raw.stop_grace_period);
  if (grace !== undefined && (secondsOf(grace) ?? 0) > 30) {
    notes.lost(
      "stop_grace_period",
      `a task has 30 seconds to end, not ${grace}`,
      "have the app end sooner",
    );
  }
  const driver = textOf(mappingOf(raw.logging).driver);
  if (driver !== undefined && !["json-file", "local", "journald"].includes(driver)) {
    notes.lost(
      "logging",
      `logs stay on the node, and do not go to ${driver}`,
      "npm run logs shows them",
    );
  }
  noteNetworks(raw, notes);
  for (const link of listOf(raw.links).map(textOf)) {
    const [target, alias] = (link ?? "").split(":");
    if (alias !== undefined && alias !== target) {
      notes.lost(
        "links",
        `${target} is found by its own name only, not as ${alias}`,
        "use its name",
      );
    }
  }
  if (!isEmpty(raw.configs)) {
    notes.lost(
      "configs",
      "no file is put into a container from outside, but secrets",
      "COPY it in the Dockerfile",
    );
  }
}

function noteNetworks(raw: ComposeService["raw"], notes: Notes): void {
  const mode = textOf(raw.network_mode);
  if (mode !== undefined && !["bridge", "default"].includes(mode)) {
    notes.lost(
      "network_mode",
      "services share a private network of the stack",
      "reach others by their names",
    );
  }
  if (!isMapping(raw.networks)) return;
  for (const [network, said] of Object.entries(raw.networks)) {
    const aliases = listOf(mappingOf(said).aliases).map(textOf);
    if (aliases.length > 0) {
      notes.lost(
        `networks.${network}.aliases`,
        `it is found by its own name only, not as ${aliases.join(", ")}`,
        "use its name",
      );
    }
  }
}

const isEmpty = (value: unknown) =>
  value === undefined ||
  value === null ||
  value === false ||
  (!isTrue(value) && typeof value === "object" && Object.keys(value).length === 0);
