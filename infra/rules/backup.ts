import { isRecipient } from "../../components/backup/age-key";
import type { Config } from "../config";
import { type Fault, show } from "../faults";
import { SPACES_REGIONS } from "./files";
import { isSchedule } from "./services";

export function backupFaults({ backup, database, region }: Config): Fault[] {
  if (backup === undefined) return [];
  const at = "archipelago:backup";
  const faults: Fault[] = [];
  if (database.engine === "none") {
    faults.push({
      path: at,
      rule: "must be left out: a stack without a database has nothing that is saved",
    });
  }
  if (!isRecipient(backup.recipient)) {
    faults.push({
      path: `${at}.recipient`,
      rule: "must be a public key of age without a typing mistake",
      got: show(backup.recipient),
      remedy: "npm run backup -- keygen makes one",
    });
  }
  if (!isSchedule(backup.schedule)) {
    faults.push({
      path: `${at}.schedule`,
      rule: "must name times that come",
      got: show(backup.schedule),
    });
  }
  if ((backup.second.s3 === undefined) === (backup.second.sftp === undefined)) {
    faults.push({ path: `${at}.second`, rule: "must be one of s3 and sftp" });
  }
  const wanted = backup.space.region ?? region;
  if (!SPACES_REGIONS.includes(wanted)) {
    faults.push({
      path: `${at}.space.region`,
      rule: "must be a region that has Spaces",
      got: show(wanted),
      remedy: `there are ${SPACES_REGIONS.join(", ")}`,
      ...(backup.space.region === undefined && { unless: ["archipelago:region"] }),
    });
  }
  return faults;
}
