/** A stack file as text. */
import { Document, isMap, isScalar, isSeq, visit } from "yaml";
import { PREFIX } from "../../../infra/parse";

/** Lists of a few short words stand on one line, as people write them. */
const LINE = 60;

/** @param head comment above everything, one line each. */
export function stackFileText(
  config: Readonly<Record<string, unknown>>,
  head: readonly string[],
): string {
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
