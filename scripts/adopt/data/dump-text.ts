/** What pg_dump writes, as the stack's psql takes it. */
import type { Transform } from "node:stream";
import { identifier } from "../../migrate/names";
import type { Running } from "./host";

/** In the first of these bytes pg_dump makes settings, some of which an older server does not know. */
const HEAD_BYTES = 1024;
/** And in the last of these its `\unrestrict`. */
const TAIL_BYTES = 256;

/**
 * The dump, made by a role that may do what the old server's superuser could, such as making extensions; in the end all of
 * it is the app's. That role cannot log in, and is gone afterwards.
 */
export async function* asMaker(
  dump: Running,
  counted: Transform,
  roles: { readonly maker: string; readonly owner: string },
  knowsRestrict: boolean,
) {
  const [maker, owner] = [identifier(roles.maker), identifier(roles.owner)];
  yield `CREATE ROLE ${maker} SUPERUSER NOLOGIN; SET ROLE ${maker};\n`;
  const known = knowsRestrict ? same : withoutRestrict;
  let isHead = true;
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of counted) {
    rest = Buffer.concat([rest, chunk as Buffer]);
    if (isHead && rest.length < HEAD_BYTES) continue;
    if (isHead) rest = known(withoutUnknown(rest));
    isHead = false;
    yield rest.subarray(0, -TAIL_BYTES);
    rest = rest.subarray(-TAIL_BYTES);
  }
  yield known(isHead ? withoutUnknown(rest) : rest);
  const isWhole = await dump.ended.then(
    () => true,
    () => false,
  );
  if (isWhole) yield `\nRESET ROLE; REASSIGN OWNED BY ${maker} TO ${owner}; DROP ROLE ${maker};\n`;
}

const same = (text: Buffer) => text;

const withoutUnknown = (head: Buffer) => replaced(head, /^SET transaction_timeout = .*;\n/m);

const withoutRestrict = (text: Buffer) =>
  replaced(replaced(text, /^\\restrict \w+\n/m), /^\\unrestrict \w+\n/m);

const replaced = (text: Buffer, pattern: RegExp) =>
  Buffer.from(text.toString("latin1").replace(pattern, ""), "latin1");
