import { announcements } from "../../../infra/announcements";
import { maxAgeHours } from "../../../infra/backup-age";
import { describeFault } from "../../../infra/faults";
import { readStackFile } from "../../../infra/stack-file";
import { emptyAccount } from "../../component/declare";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHLRiDoDWzNP+sSXAJ2ZEPvbSkPs5x45NfZwPZVqXd5M";
const web = { image: "acme/web:1", port: 3000, routes: ["/"] };
const recipient = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
const s3 = { endpoint: "https://s3.example.com", bucket: "acme", accessKey: "A", secretKey: "S" };
const backup = { recipient, second: { s3 } };

const read = (given: object, stack = "single-node") =>
  readStackFile(
    { region: "fra1", sshKeys: [KEY], services: { web }, ...given },
    { stack, env: {}, root: process.cwd() },
  );
const report = (given: object, stack?: string) => read(given, stack).faults.map(describeFault);

test("a key and a second place are enough", () => {
  const { config, faults } = read({ backup });
  expect(faults).toEqual([]);
  expect(config.backup).toEqual({
    recipient,
    files: true,
    schedule: "17 2 * * *",
    keep: { days: 7, weeks: 4, months: 6 },
    space: {},
    second: { s3: { ...s3, region: "us-east-1" } },
  });
});

test("everything that is wrong with backups is in the one report, and no secret is", () => {
  const mistyped = recipient.replace("zvk", "zvq");
  expect(report({ backup: { recipient: mistyped, schedule: "0 0 30 2 *", second: {} } })).toEqual([
    `archipelago:backup.recipient must be a public key of age without a typing mistake, got "${mistyped.slice(0, 56)}…"; npm run backup -- keygen makes one`,
    'archipelago:backup.schedule must name times that come, got "0 0 30 2 *"',
    "archipelago:backup.second must be one of s3 and sftp",
  ]);
  expect(report({ backup: {} })).toEqual([
    "archipelago:backup.recipient is missing; it must be a public key of age, age1…",
    "archipelago:backup.second is missing; it must be a mapping of s3, sftp",
  ]);
  const sftp = { host: "nas.example.com", user: "backup", path: "backups", key: "hunter2" };
  expect(report({ backup: { recipient, second: { sftp } } })).toEqual([
    'archipelago:backup.second.sftp.path must be an absolute path, got "backups"',
    "archipelago:backup.second.sftp.hostKey is missing; it must be a public host key such as ssh-ed25519 AAAA…",
    "archipelago:backup.second.sftp.key must be a private key in PEM",
  ]);
  expect(report({ backup, database: "none" })).toEqual([
    "archipelago:backup must be left out: without a database, a service with a volume and files there is nothing to save",
  ]);
  const services = { web: { ...web, volume: "/data" } };
  expect(report({ backup, database: "none", services })).toEqual([]);
  expect(report({ backup }, "swarm")).toEqual([]);
});

test("an alarm names somebody, waits longer than the schedule does, and keeps passwords to encrypted mail", () => {
  const mail = { host: "smtp.example.com", from: "a@example.com", to: ["b@example.com"] };
  const { config, faults } = read({ backup: { ...backup, alarm: { mail } } });
  expect(faults).toEqual([]);
  expect(config.backup?.alarm?.mail).toEqual({ ...mail, port: 2525, tls: "starttls" });
  const said = (alarm: object) => report({ backup: { ...backup, alarm } });
  expect(said({})).toEqual([
    "archipelago:backup.alarm must have one of webhook, mail and heartbeat",
  ]);
  expect(
    said({ maxAgeHours: 24, mail: { ...mail, tls: "none", user: "u", password: "hunter2" } }),
  ).toEqual([
    "archipelago:backup.alarm.maxAgeHours must be more than the 24 hours that lie between two backups, got 24",
    "archipelago:backup.alarm.mail.tls must be starttls or implicit where there is a password, got none",
  ]);
  expect(said({ webhook: "hunter2", heartbeat: "hunter2", mail: { ...mail, user: "u" } })).toEqual([
    "archipelago:backup.alarm.webhook must be a URL",
    "archipelago:backup.alarm.heartbeat must be a URL",
    "archipelago:backup.alarm.mail must have user and password, or neither",
  ]);
});

test("a backup is too old two hours after the next one should have begun", () => {
  const hours = (given: object) => {
    const { config } = read({ backup: { ...backup, ...given } });
    return config.backup && maxAgeHours(config.backup);
  };
  expect(hours({})).toBe(26);
  expect(hours({ schedule: "0 */6 * * *" })).toBe(8);
  expect(hours({ schedule: "30 1 * * 1-5" })).toBe(74);
  expect(hours({ alarm: { maxAgeHours: 30, heartbeat: "https://hc.example.com/x" } })).toBe(30);
});

test("a preview warns where a database has no backups", () => {
  const lines = (given: object, stack?: string) =>
    announcements(read(given, stack).config, emptyAccount);
  expect(lines({}, "swarm").join("\n")).toContain("no backups but DigitalOcean's own");
  expect(lines({}).join("\n")).toContain("there are no backups: archipelago:backup makes them");
  expect(lines({ backup }).join("\n")).not.toContain("no backups");
  expect(lines({ backup: { ...backup, files: false }, files: true }).join("\n")).toContain(
    "files is in no backup",
  );
  const kept = { web: { ...web, volume: "/data" } };
  expect(lines({ database: "none", services: kept }).join("\n")).toContain("no backups");
  expect(lines({ backup }).join("\n")).toContain("nobody is told when backups stop");
  const alarm = { webhook: "https://hooks.example.com/x" };
  expect(lines({ backup: { ...backup, alarm } }).join("\n")).not.toContain("nobody is told");
});

test("a preview says whose backups they are while a database has two servers", () => {
  const database = { engine: "container", migrateTo: "managed" };
  const { config } = read({ backup, database });
  expect(announcements(config, emptyAccount)).toContain(
    "archipelago:backup is of the container's database: once `npm run migrate -- postgres` has switched, what the app writes is only in DigitalOcean's own daily backups",
  );
});
