import type { Context } from "../protocol/resource";
import { openConnection } from "../ssh/bastion";
import type { SshConnection } from "../ssh/connection";
import { parsePublicKey } from "../ssh/host-keys";
import { messageOf } from "../wait";

const FILE = "/root/.ssh/authorized_keys";

/**
 * Makes `keys` the only ones that may log in as root.
 *
 * A fresh login proves that the operator is still among them; if not, the old file comes back.
 *
 * @throws {Error} when the operator's own key is not among `keys`.
 */
export async function writeAuthorizedKeys(
  connection: SshConnection,
  hostKey: string,
  keys: readonly string[],
  context: Context,
): Promise<void> {
  if (await hasAuthorizedKeys(connection, keys)) return;
  await connection.output(
    "writing the SSH keys",
    `umask 077
mkdir -p /root/.ssh
[ -e ${FILE} ] || : > ${FILE}
cp -p ${FILE} ${FILE}.before
cat > ${FILE}.next <<'KEYS'
${render(keys)}KEYS
mv ${FILE}.next ${FILE}
`,
  );
  const expected = parsePublicKey(hostKey);
  try {
    const login = await openConnection(
      connection.address,
      (presented) => presented.equals(expected),
      20,
    );
    login.close();
  } catch (error) {
    await connection.output("restoring the SSH keys", `mv ${FILE}.before ${FILE}\n`);
    throw new Error(
      `authorizedKeys of ${context.name} would lock you out, so the old ones were put back: ${messageOf(error)}`,
      { cause: error },
    );
  }
  await connection.output("removing the old SSH keys", `rm -f ${FILE}.before\n`);
}

/** Whether exactly `keys` may log in as root. */
export async function hasAuthorizedKeys(
  connection: SshConnection,
  keys: readonly string[],
): Promise<boolean> {
  return (await connection.readFile(FILE)) === render(keys);
}

/** The keys that may log in as root. */
export async function readAuthorizedKeys(connection: SshConnection): Promise<string[]> {
  const file = (await connection.readFile(FILE)) ?? "";
  return file.split("\n").filter((line) => line.trim() !== "");
}

function render(keys: readonly string[]): string {
  return keys.map((key) => `${key.trim()}\n`).join("");
}
