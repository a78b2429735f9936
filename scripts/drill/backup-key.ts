/** Keys for a drill's backups. */
import * as fs from "node:fs";
import * as path from "node:path";
import { newAgeKey } from "../../components/backup/age-key";

export interface BackupKey {
  /** `backup.recipient` of a stack file. */
  readonly recipient: string;
  /** File of the secret key. */
  readonly identity: string;
}

/** @param file its name in the drill's own directory. */
export function newBackupKey(file = "backup.key"): BackupKey {
  const { recipient, identity: secret } = newAgeKey();
  const identity = path.join(process.env.ARCHIPELAGO_LOCAL_DIR ?? "", file);
  fs.writeFileSync(identity, `${secret}\n`, { mode: 0o600 });
  return { recipient, identity };
}
