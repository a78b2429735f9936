import { z } from "zod";
import { flag, integer, mapping, text } from "../fields";
import { backupAlarm } from "./backup-alarm";
import { schedule } from "./schedule";
import { secret } from "./secret";

const s3 = mapping(
  {
    endpoint: text(
      /^https?:\/\/[^/\s]+$/,
      "a URL without a path",
      "The S3 server, without the bucket.",
    ),
    region: text(/^\S+$/, "a region", "That requests are signed for.").default("us-east-1"),
    bucket: text(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "the name of a bucket", "It must exist."),
    accessKey: text(/^\S+$/, "an access key", "ID of a key that reads and writes there."),
    secretKey: secret(/^\S+$/, "a secret key", "Secret of that key."),
  },
  "A bucket at another provider, or in another account or region.",
);

const sftp = mapping(
  {
    host: text(/^[A-Za-z0-9.-]+$/, "a host name or an IPv4 address", "The SSH server."),
    port: integer(1, 65_535, "Its port.").default(22),
    user: text(/^[A-Za-z0-9._-]+$/, "a user name", "Who logs in."),
    path: text(
      /^\/\S*$/,
      "an absolute path",
      "Directory that backups are kept in. Made when it is missing.",
    ),
    hostKey: text(
      /^(ssh|ecdsa)-\S+ [A-Za-z0-9+/=]+/,
      "a public host key such as ssh-ed25519 AAAA…",
      "The only host key that is accepted: a line of `ssh-keyscan` without the host's name. One of each kind that the server has, a line each.",
    ),
    key: secret(
      /^-----BEGIN [A-Z ]*PRIVATE KEY-----\s[\s\S]+$/,
      "a private key in PEM",
      "The OpenSSH private key to log in with, without a passphrase.",
    ),
  },
  "A directory on a server of yours.",
);

export const backup = mapping(
  {
    recipient: text(
      /^age1[a-z0-9]{58}$/,
      "a public key of age, age1…",
      "Whom backups are encrypted to. `npm run backup -- keygen` makes it, and the secret key that opens them, which stays with you.",
    ),
    files: flag(
      "Whether the bucket of `archipelago:files` is saved, too: all of it, each time. Better not where it has many GB; `files.versioning` is what is left then.",
    ).default(true),
    schedule: schedule
      .meta({ description: "When, in UTC: five fields of cron. What was missed is made up for." })
      .default("17 2 * * *"),
    keep: mapping(
      {
        days: integer(1, 365, "Days.").default(7),
        weeks: integer(0, 104, "Weeks.").default(4),
        months: integer(0, 120, "Months.").default(6),
      },
      "How many days, weeks and months keep their newest backup. The newest of all is always kept.",
    ).prefault({}),
    space: mapping(
      {
        name: text(
          /^[a-z0-9]([a-z0-9-]{1,61}[a-z0-9])$/,
          "3 to 63 lower-case letters, digits and hyphens",
          "Name of the bucket, unique in its region among everybody's. Default: backups- and random digits. Cannot change later.",
        ).optional(),
        region: text(
          /^[a-z]{2,4}[0-9]$/,
          "a DigitalOcean region slug such as fra1",
          "Region of the bucket: better not the stack's. Default: the stack's. Cannot change later.",
        ).optional(),
      },
      "The first place: a bucket of DigitalOcean Spaces, made by the stack, with a key for it alone.",
    ).prefault({}),
    second: mapping(
      { s3: s3.optional(), sftp: sftp.optional() },
      "The second place, which must not go with the first: one of the two.",
    ),
    alarm: backupAlarm.optional(),
  },
  "Backups of the databases and of what services keep on the Volume, encrypted, in two places. Without this key there are none but those that DigitalOcean makes of a managed one.",
);

export type BackupConfig = z.output<typeof backup>;
