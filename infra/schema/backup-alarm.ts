import { choice, integer, list, mapping, text } from "../fields";
import { secret } from "./secret";

const URL = /^https?:\/\/\S+$/;
const ADDRESS = /^[^\s@<>]+@[^\s@<>]+$/;
const CERTIFICATES = /^-----BEGIN CERTIFICATE-----\s[\s\S]+-----END CERTIFICATE-----\s*$/;

const mail = mapping(
  {
    host: text(/^[A-Za-z0-9.-]+$/, "a host name or an IPv4 address", "The SMTP server."),
    port: integer(
      1,
      65_535,
      "Its port. DigitalOcean lets Droplets reach neither 25 nor 465 or 587; most mail services listen on 2525 as well.",
    ).default(2525),
    tls: choice(
      ["starttls", "implicit", "none"],
      "`starttls`: encrypted before anything of worth is said, or not sent. `implicit`: encrypted from the first byte, as on port 465. `none`: in the clear, for a server in the VPC that wants no password.",
    ).default("starttls"),
    ca: text(
      CERTIFICATES,
      "certificates in PEM",
      "The authority that signed the server's certificate, where it is a private one. Default: the public roots.",
    ).optional(),
    user: text(/^\S+$/, "a user name", "Who logs in. Default: nobody does.").optional(),
    password: secret(/^\S[\s\S]*$/, "a password", "Of that user.").optional(),
    from: text(ADDRESS, "an e-mail address", "Sender: one that the server sends for."),
    to: list(text(ADDRESS, "an e-mail address", "A reader."), "Who gets the mail.", 1),
  },
  "Mail by an SMTP server.",
);

export const backupAlarm = mapping(
  {
    maxAgeHours: integer(
      1,
      8784,
      "Age from which the newest backup in a place is too old. Default: the longest time between two times of `schedule`, and two hours.",
    ).optional(),
    webhook: secret(
      URL,
      "a URL",
      "Gets a POST of JSON with a field `text`, as Slack and Mattermost want it, and Discord at `/slack`.",
    ).optional(),
    mail: mail.optional(),
    heartbeat: secret(
      URL,
      "a URL",
      "Is asked for after each backup that is in both places and was read back. A service elsewhere, such as healthchecks.io or a monitor of yours, calls you when it hears nothing: the only one who also notices that the whole stack is gone.",
    ).optional(),
  },
  "Who is told when backups stop: at once, each day again, and when they are in order again. At least one of `webhook`, `mail` and `heartbeat`.",
);
