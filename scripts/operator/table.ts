import Table from "cli-table3";
import pc from "picocolors";

/** An empty table. The library's own colours would be in files and pipes too; picocolors' are only where somebody looks. */
export function newTable(
  head: readonly string[],
  options: Table.TableConstructorOptions = {},
): Table.Table {
  return new Table({ head: head.map(pc.bold), style: { head: [], border: [] }, ...options });
}
