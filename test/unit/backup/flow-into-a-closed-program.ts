/** A process of its own, which an error that nobody waits for would end. */
import { Readable } from "node:stream";
import { flow } from "../../../components/backup/agent/flow";

const endless = Readable.from(
  (function* () {
    for (let left = 1000; left > 0; left--) yield Buffer.alloc(2 ** 20);
  })(),
);
const refuses = ["sh", "-c", "exec <&-; sleep 1; echo damaged >&2; exit 1"] as const;
flow(endless, [{ command: [...refuses] }], { command: ["cat"] }).catch((error: Error) =>
  process.stdout.write(error.message),
);
