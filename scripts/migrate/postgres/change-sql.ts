/** SQL that does on one server what was done on another. */
import { identifier, literal } from "../names";
import type { Change, Relation, Value } from "./pgoutput";

export type Relations = ReadonlyMap<number, Relation>;

/** Columns that are GENERATED ALWAYS AS IDENTITY, as `schema.table.column`: no UPDATE may name them. */
export type FixedColumns = ReadonlySet<string>;

/**
 * @returns one statement, or none for a change without an effect. Values are untyped literals: they become what the column is.
 * @throws {Error} for an update or delete of a row without a key.
 */
export function changeSql(
  change: Change,
  relations: Relations,
  fixed: FixedColumns,
): string | undefined {
  const find = (id: number) => {
    const found = relations.get(id);
    if (!found) throw new Error(`a change of table ${id} came before its description`);
    return found;
  };
  switch (change.kind) {
    case "insert":
      return insert(find(change.relation), change.row);
    case "update":
      return update(find(change.relation), change.old ?? change.row, change.row, fixed);
    case "delete": {
      const relation = find(change.relation);
      return `DELETE FROM ${tableName(relation)} WHERE ${keyOf(relation, change.old)};`;
    }
    case "truncate": {
      const names = change.relations.map((id) => tableName(find(id)));
      const restart = change.restart ? " RESTART IDENTITY" : "";
      return `TRUNCATE ${names.join(", ")}${restart}${change.cascade ? " CASCADE" : ""};`;
    }
    case "begin":
    case "commit":
    case "relation":
      return undefined;
  }
}

const tableName = ({ schema, name }: Relation) => `${identifier(schema)}.${identifier(name)}`;

const sqlValue = (value: Value) => (value == null ? "NULL" : literal(value));

function insert(relation: Relation, row: readonly Value[]): string {
  const names = relation.columns.map(({ name }) => identifier(name)).join(", ");
  // GENERATED ALWAYS AS IDENTITY would refuse the number that the row has.
  return `INSERT INTO ${tableName(relation)} (${names}) OVERRIDING SYSTEM VALUE VALUES (${row.map(sqlValue).join(", ")});`;
}

function update(
  relation: Relation,
  old: readonly Value[],
  row: readonly Value[],
  fixed: FixedColumns,
): string | undefined {
  const changes = relation.columns.flatMap(({ name, isKey }, index) => {
    const value = row[index];
    const unchanged = value === undefined || (isKey && value === old[index]);
    if (unchanged || fixed.has(`${relation.schema}.${relation.name}.${name}`)) return [];
    return [`${identifier(name)} = ${sqlValue(value)}`];
  });
  if (changes.length === 0) return undefined;
  return `UPDATE ${tableName(relation)} SET ${changes.join(", ")} WHERE ${keyOf(relation, old)};`;
}

function keyOf(relation: Relation, row: readonly Value[]): string {
  const parts = relation.columns.flatMap(({ name, isKey }, index) =>
    isKey ? [`${identifier(name)} = ${sqlValue(row[index])}`] : [],
  );
  if (parts.length === 0)
    throw new Error(`a row of ${tableName(relation)} without a key was changed`);
  return parts.join(" AND ");
}
