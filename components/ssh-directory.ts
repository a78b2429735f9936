import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

/**
 * Makes the directory of a connection's socket, as ssh itself would for its known hosts. ssh gives up when it is missing,
 * as on a machine that never logged in anywhere.
 */
export function prepareSshDirectory(): void {
  fs.mkdirSync(path.join(os.userInfo().homedir, ".ssh"), { recursive: true, mode: 0o700 });
}
