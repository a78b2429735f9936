/** Whether two databases hold the same rows. */
import { TABLES } from "../../../components/backup/agent/postgres";
import { Fault } from "../../../local/fault";
import { agree, type Checksum, checksumQuery, readChecksum } from "../../migrate/checksum";
import type { Psql } from "../../migrate/psql";

const LARGE_OBJECTS = `${checksumQuery("pg_catalog.pg_largeobject_metadata o", "pg_catalog.lo_get(o.oid)")};`;

/** Of each table, by name, and of all large objects. */
export async function sumsOf(psql: Psql): Promise<Map<string, Checksum>> {
  const sums = new Map<string, Checksum>();
  for (const name of await psql.run(`${TABLES};`)) {
    sums.set(
      name,
      readChecksum(await psql.value(`${checksumQuery(`ONLY ${name} t`, "t::text")};`)),
    );
  }
  // No table of the app's: the large objects that its columns of type oid name.
  sums.set("large objects", readChecksum(await psql.value(LARGE_OBJECTS)));
  return sums;
}

/** @throws {Fault} with the first table that differs. */
export function mustBeSame(
  expected: ReadonlyMap<string, Checksum>,
  found: ReadonlyMap<string, Checksum>,
) {
  for (const [name, sum] of expected) {
    const there = found.get(name);
    if (there && agree(there, sum)) continue;
    const what =
      there === undefined
        ? "is missing"
        : there.rows === sum.rows
          ? `has ${sum.rows} rows, of which some are not the same`
          : `has ${there.rows} rows, and the old one ${sum.rows}`;
    throw new Fault(`The table ${name} ${what}. Nothing was changed.`);
  }
}
