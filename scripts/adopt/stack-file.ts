/** A stack file before it is written: as text, and as the program will read it. */
import { Document, isMap, isScalar, isSeq, visit } from "yaml";
import { describeFault } from "../../infra/faults";
import { PREFIX } from "../../infra/parse";
import { readStackFile } from "../../infra/stack-file";
import { Fault } from "../../local/fault";
import { checkout } from "../../local/paths";

type StackConfig = Readonly<Record<string, unknown>>;

/** Lists of a few short words stand on one line, as people write them. */
const LINE = 60;

/** @param head comment above everything, one line each. */
export function stackFileText(config: StackConfig, head: readonly string[]): string {
  const entries = Object.entries(config).map(([key, value]) => [`${PREFIX}${key}`, value]);
  const document = new Document({ config: Object.fromEntries(entries) as object });
  visit(document, {
    Seq(_, list) {
      const plain = list.items.every(
        (item) => isScalar(item) && !String(item.value).includes("\n"),
      );
      if (plain && JSON.stringify(list).length < LINE) list.flow = true;
    },
    Map(_, map) {
      const plain = map.items.every(({ value }) => isScalar(value) || (isSeq(value) && value.flow));
      const short = map.items.length <= 2 && JSON.stringify(map).length < LINE;
      if (plain && short && !isMap(document.contents)) map.flow = true;
    },
  });
  const comment = ["yaml-language-server: $schema=./schema.json", ...head].map(
    (line) => `# ${line}`,
  );
  return `${comment.join("\n")}\n${document.toString({ lineWidth: 110 })}`;
}

/**
 * The program's own reading of it: nothing is written that it would refuse.
 *
 * @param what begins the message: `No stack file of it would do`.
 * @throws {Fault} with every fault.
 */
export function mustBeStackFile(config: StackConfig, stack: string, what: string): void {
  const { faults } = readStackFile(config, {
    stack,
    env: { ...process.env, ARCHIPELAGO_LOCAL: "1" },
    root: checkout,
  });
  // Who may log in is said by this machine, not by what is adopted.
  const about = faults.filter(({ path }) => !path.startsWith("archipelago:sshKeys"));
  if (about.length === 0) return;
  const lines = about.map((fault) => `  ${describeFault(fault)}`);
  throw new Fault(`${what}, so nothing was written:\n${lines.join("\n")}`);
}
