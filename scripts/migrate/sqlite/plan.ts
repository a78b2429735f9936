/** What becomes of each column, from what was declared, what is in it, and what the target has already. */
import type { Crossing, Kind } from "./kinds";
import { type ColumnProfile, digitsBehindPoint, type TableProfile } from "./profile";
import { type Column, rowNumberColumn, type Schema, type Table } from "./schema";

/** Whose conventions the file follows where SQLite's types say too little. */
export type Framework = "django" | "rails" | "none";

export interface Finding {
  /** `table` or `table.column`. */
  readonly at: string;
  readonly says: string;
}

/** Types that the operator asks for, by `table.column`. */
export type Wishes = Readonly<Record<string, string>>;

/** A table of the target: its types as PostgreSQL writes them, by column; null for one that it computes itself. */
export type TargetTable = Readonly<Record<string, string | null>>;

export interface TablePlan {
  readonly table: Table;
  readonly rows: number;
  readonly columns: readonly Crossing[];
  /** Its rows are replaced; its definition stays as the target has it. */
  readonly exists: boolean;
}

export function frameworkOf({ tables }: Schema): Framework {
  const names = new Set(tables.map(({ name }) => name));
  if (names.has("django_migrations")) return "django";
  return names.has("schema_migrations") && names.has("ar_internal_metadata") ? "rails" : "none";
}

/** @returns the columns, and in `faults` why the table cannot be carried over whole. */
export function planTable(
  table: Table,
  profile: TableProfile,
  framework: Framework,
  wishes: Wishes,
  target: TargetTable | undefined,
): { plan: TablePlan; faults: Finding[]; notes: Finding[] } {
  const faults: Finding[] = [];
  const notes: Finding[] = [];
  const columns = table.columns.flatMap((column): Crossing[] => {
    const at = `${table.name}.${column.name}`;
    const values = profile.columns[column.name];
    if (!values) return [];
    if (target?.[column.name] === null) {
      notes.push({ at, says: "is computed by the target" });
      return [];
    }
    if (target && target[column.name] === undefined) {
      faults.push({ at, says: `the target's table ${table.name} has no such column` });
      return [];
    }
    const wished = target?.[column.name] ?? wishes[at];
    const choice = wished ? asWished(wished, values) : choose(table, column, values, framework);
    for (const says of [...choice.faults, ...beyondText(choice.crossing, values)]) {
      faults.push({ at, says });
    }
    for (const says of choice.notes) notes.push({ at, says });
    if (column.generated && !target) {
      notes.push({ at, says: "is generated: it becomes an ordinary column with today's values" });
    }
    return [{ name: column.name, ...choice.crossing }];
  });
  return {
    plan: { table, rows: profile.rows, columns, exists: target !== undefined },
    faults,
    notes,
  };
}

interface Choice {
  readonly crossing: Omit<Crossing, "name">;
  readonly faults: readonly string[];
  readonly notes: readonly string[];
}

const chosen = (kind: Kind, type: string, ...notes: readonly string[]): Choice => ({
  crossing: { kind, type },
  faults: [],
  notes,
});

const refused = (kind: Kind, type: string, ...faults: readonly string[]): Choice => ({
  crossing: { kind, type },
  faults,
  notes: [],
});

const filled = ({ integers, reals, texts, blobs }: ColumnProfile) =>
  integers + reals + texts + blobs;

/** By what was declared; where the values are something else altogether, by them. */
function choose(table: Table, column: Column, values: ColumnProfile, framework: Framework): Choice {
  const { declared } = column;
  const count = filled(values);
  const as = `--as ${table.name}.${column.name}=`;
  if (rowNumberColumn(table) === column) return chosen("integer", "bigint");
  if (/^bool|^tinyint\s*\(1\)|^bit\b/.test(declared)) {
    if (values.booleans === count) return chosen("boolean", "boolean");
    if (values.integers === count)
      return chosen("integer", "bigint", "holds other numbers than 0 and 1: bigint");
    return misfit("boolean", "boolean", count - values.booleans, declared, as);
  }
  if (/json/.test(declared) || hasJsonCheck(table, column)) {
    if (values.json === count) return chosen("jsonb", "jsonb");
    return misfit("jsonb", "jsonb", count - values.json, "JSON", as);
  }
  if (
    /uuid|guid/.test(declared) ||
    (framework === "django" && declared === "char(32)" && count > 0)
  ) {
    if (values.uuids === count) return chosen("uuid", "uuid");
  }
  if (/^(timestamp|datetime)/.test(declared) || (declared === "text" && isClock(column))) {
    return chooseTime(declared, values, framework, as);
  }
  if (/^date/.test(declared)) {
    if (values.days === count) return chosen("date", "date");
    if (values.times === count) return chooseTime(declared, values, framework, as);
    return misfit("date", "date", count - values.days, declared, as);
  }
  if (/^time/.test(declared)) {
    if (values.clockTimes === count) return chosen("time", "time");
    return misfit("time", "time", count - values.clockTimes, declared, as);
  }
  if (/int|serial/.test(declared)) {
    if (values.integers === count) return chosen("integer", "bigint");
    if (values.integers + values.reals === count) {
      return chosen("float", "double precision", "holds fractions: double precision");
    }
    return misfit("integer", "bigint", values.texts + values.blobs, declared, as);
  }
  if (/char|clob|text|string|enum|inet|xml|uuid|guid|json/.test(declared))
    return chooseText(declared, values, as);
  if (/real|floa|doub/.test(declared)) {
    if (values.integers + values.reals === count) return chosen("float", "double precision");
    return misfit("float", "double precision", values.texts + values.blobs, declared, as);
  }
  if (/^(dec|num)|money/.test(declared)) return chooseNumeric(declared, values, as);
  if (/blob|binary|bytea/.test(declared) && values.integers + values.reals === 0) {
    return chosen("bytea", "bytea");
  }
  return chooseByValues(values, as);
}

function misfit(kind: Kind, type: string, count: number, declared: string, as: string): Choice {
  return refused(
    kind,
    type,
    `${count} values are no ${declared}: mend them, or keep everything as text with ${as}text`,
  );
}

/** A default that is the present time makes a column of text one of times. */
const isClock = ({ defaultSql = "" }: Column) =>
  /current_timestamp|datetime\s*\(|strftime\s*\('%Y-%m-%d[ T]%H/i.test(defaultSql);

/** Django's JSONField, and what people write themselves. */
const hasJsonCheck = ({ sql }: Table, { name }: Column) =>
  new RegExp(
    `json_valid\\s*\\(\\s*["'\`[]?${name.replace(/\W/g, "\\$&")}["'\`\\]]?\\s*\\)`,
    "i",
  ).test(sql);

function chooseTime(
  declared: string,
  values: ColumnProfile,
  framework: Framework,
  as: string,
): Choice {
  const count = filled(values);
  const zoned = framework === "django" || values.zoned > 0 || /tz|with time zone/.test(declared);
  const [kind, type]: [Kind, string] = zoned
    ? ["timestamptz", "timestamptz"]
    : ["timestamp", "timestamp"];
  if (values.times + values.days === count) {
    if (values.tooFine === 0) return chosen(kind, type);
    return refused(
      kind,
      type,
      `${values.tooFine} values are finer than a microsecond, which is PostgreSQL's finest: round them, or keep everything as text with ${as}text`,
    );
  }
  if (values.integers === count) {
    return chosen(
      "integer",
      "bigint",
      `holds numbers: bigint. Seconds since 1970 become times with ${as}timestamptz`,
    );
  }
  if (declared === "text") return chosen("text", "text");
  return misfit(kind, type, count - values.times - values.days, declared, as);
}

/** What PostgreSQL lets a varchar(n) be; elsewhere people write 0 and billions. */
const LONGEST_VARCHAR = 10_485_760;

function chooseText(declared: string, values: ColumnProfile, as: string): Choice {
  const count = filled(values);
  if (values.blobs === count && count > 0) return chosen("bytea", "bytea", "holds blobs: bytea");
  if (values.blobs > 0) {
    return refused(
      "text",
      "text",
      `${values.blobs} values are blobs among ${count}: keep everything as bytes with ${as}bytea`,
    );
  }
  const length = /char\w*\s*\((\d+)\)/.exec(declared)?.[1];
  if (length === undefined) return chosen("text", declared === "varchar" ? "varchar" : "text");
  if (values.longest > Number(length)) {
    return chosen(
      "text",
      "text",
      `was declared ${declared}, its longest text has ${values.longest} characters: text`,
    );
  }
  const isLength = Number(length) >= 1 && Number(length) <= LONGEST_VARCHAR;
  return chosen("text", isLength ? `varchar(${length})` : "text");
}

function chooseNumeric(declared: string, values: ColumnProfile, as: string): Choice {
  const scale = digitsBehindPoint(declared);
  const size = /\(\s*\d+\s*(?:,\s*\d+\s*)?\)/.exec(declared)?.[0] ?? "";
  const type = `numeric${size.replaceAll(" ", "")}`;
  const others = filled(values) - values.integers - values.reals - values.numbers;
  if (others > 0) return misfit("numeric", type, others, declared, as);
  const crossing = { kind: "numeric" as const, type, scale };
  const says = `${values.rounded} values have more digits behind the point than ${declared}: keep them with ${as}numeric`;
  return { crossing, faults: values.rounded > 0 ? [says] : [], notes: [] };
}

function chooseByValues(values: ColumnProfile, as: string): Choice {
  const count = filled(values);
  if (count === 0) return chosen("text", "text");
  if (values.integers === count) return chosen("integer", "bigint");
  if (values.integers + values.reals === count) return chosen("float", "double precision");
  if (values.blobs === count) return chosen("bytea", "bytea");
  if (values.blobs === 0)
    return chosen("text", "text", "has no type, and numbers among its texts: text");
  return refused(
    "text",
    "text",
    `${values.blobs} values are blobs among ${count}: keep everything as bytes with ${as}bytea`,
  );
}

const KINDS: readonly (readonly [RegExp, Kind])[] = [
  [/^(smallint|integer|int|bigint|int[248])$/, "integer"],
  [/^bool/, "boolean"],
  [/^(real|double precision|float[48]?)$/, "float"],
  [/^(numeric|decimal)/, "numeric"],
  [/^(timestamptz|timestamp.* with time zone)/, "timestamptz"],
  [/^timestamp/, "timestamp"],
  [/^date$/, "date"],
  [/^time(?!.*with time zone)(?!tz)/, "time"],
  [/^bytea$/, "bytea"],
  [/^jsonb$/, "jsonb"],
  [/^json$/, "json"],
  [/^uuid$/, "uuid"],
  [/^(text|varchar|character varying|citext)/, "text"],
];

/** A type that the target has, or the operator asks for. */
function asWished(type: string, values: ColumnProfile): Choice {
  const kind = KINDS.find(([pattern]) => pattern.test(type))?.[1];
  if (kind === undefined) {
    return refused("text", "text", `type ${type} is not one that values are carried over to`);
  }
  const count = filled(values);
  const fits: Readonly<Record<Kind, number>> = {
    text: values.texts + values.integers + values.reals,
    integer: values.integers,
    boolean: values.booleans,
    float: values.integers + values.reals,
    numeric: values.integers + values.reals + values.numbers,
    timestamp: values.times + values.days + values.integers,
    timestamptz: values.times + values.days + values.integers,
    date: values.days,
    time: values.clockTimes,
    bytea: values.texts + values.blobs,
    json: values.json,
    jsonb: values.json,
    uuid: values.uuids,
  };
  const faults: string[] = [];
  if (fits[kind] < count)
    faults.push(`${count - fits[kind]} of ${count} values do not fit ${type}`);
  const isTime = kind === "timestamp" || kind === "timestamptz";
  if (isTime && values.integers > 0 && values.texts > 0) {
    faults.push("holds texts and numbers, which are no times of one kind");
  }
  if (isTime && values.tooFine > 0)
    faults.push(`${values.tooFine} values are finer than a microsecond`);
  if (kind === "timestamp" && values.zoned > 0) {
    faults.push(`${values.zoned} values have an offset from UTC, which ${type} would forget`);
  }
  const beyond = /^(smallint|int2)$/.test(type) ? values.beyond16 : values.beyond32;
  if (/^(smallint|integer|int|int2|int4)$/.test(type) && beyond > 0) {
    faults.push(`${beyond} numbers are beyond ${type}`);
  }
  const length = Number(/(?:varchar|varying)\s*\((\d+)\)/.exec(type)?.[1] ?? Infinity);
  if (values.longest > length) {
    faults.push(`its longest text has ${values.longest} characters, more than ${type}`);
  }
  const scale = digitsBehindPoint(type);
  const crossing = { kind, type, scale, epoch: isTime && values.integers > 0 };
  return { crossing, faults, notes: [] };
}

/** What no text of PostgreSQL can hold. */
function beyondText({ kind }: Omit<Crossing, "name">, { nuls }: ColumnProfile): string[] {
  if (nuls === 0 || kind === "bytea") return [];
  return [
    `${nuls} texts have a NUL byte in them, which PostgreSQL's text cannot hold: mend them, or keep everything as bytes (bytea)`,
  ];
}
