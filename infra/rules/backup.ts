import { isRecipient } from "../../components/backup/age-key";
import { longestGapHours } from "../backup-age";
import type { Config } from "../config";
import { servicesWithVolume } from "../fleet";
import { type Fault, show } from "../faults";
import { SPACES_REGIONS } from "./files";
import { isSchedule } from "./services";

export function backupFaults(config: Config): Fault[] {
  const { backup, database, files, region } = config;
  if (backup === undefined) return [];
  const at = "archipelago:backup";
  const faults: Fault[] = [];
  const holds =
    database.engine !== "none" ||
    servicesWithVolume(config).length > 0 ||
    (files.enabled && backup.files);
  if (!holds) {
    faults.push({
      path: at,
      rule: "must be left out: without a database, a service with a volume and files there is nothing to save",
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
  return [...faults, ...alarmFaults(`${at}.alarm`, backup)];
}

function alarmFaults(at: string, { alarm, schedule }: NonNullable<Config["backup"]>): Fault[] {
  if (alarm === undefined) return [];
  const faults: Fault[] = [];
  const { maxAgeHours, webhook, mail, heartbeat } = alarm;
  if ([webhook, mail, heartbeat].every((way) => way === undefined)) {
    faults.push({ path: at, rule: "must have one of webhook, mail and heartbeat" });
  }
  if (maxAgeHours !== undefined && isSchedule(schedule)) {
    const gap = longestGapHours(schedule);
    if (maxAgeHours <= gap) {
      const rule = `must be more than the ${gap} hours that lie between two backups`;
      faults.push({ path: `${at}.maxAgeHours`, rule, got: String(maxAgeHours) });
    }
  }
  if (mail !== undefined && (mail.user === undefined) !== (mail.password === undefined)) {
    faults.push({ path: `${at}.mail`, rule: "must have user and password, or neither" });
  }
  if (mail?.tls === "none" && mail.password !== undefined) {
    faults.push({
      path: `${at}.mail.tls`,
      rule: "must be starttls or implicit where there is a password",
      got: "none",
    });
  }
  return faults;
}
