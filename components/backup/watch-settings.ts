import type { BackupSettings } from "./settings";

/** An SMTP server that takes mail, and whom to write to. */
export interface MailSettings {
  readonly host: string;
  readonly port: number;
  /** `starttls` begins in the clear and goes on only encrypted; `implicit` is encrypted from the first byte. */
  readonly tls: "starttls" | "implicit" | "none";
  /** PEM of the authority of the server's certificate. @default the public ones */
  readonly ca?: string | undefined;
  /** With `password`. @default nobody logs in */
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly from: string;
  readonly to: readonly string[];
}

/** Ways to tell people. */
export interface AlarmWays {
  /** URL that gets a POST. */
  readonly webhook?: string | undefined;
  readonly mail?: MailSettings | undefined;
}

/** What the watcher is told: one Docker swarm secret, since it holds logins. */
export interface WatchSettings extends Pick<BackupSettings, "stack" | "places"> {
  /** Age from which the newest backup is too old. */
  readonly maxAgeHours: number;
  /** Whether a server's write-ahead log is archived, which must not end either. */
  readonly log: boolean;
  readonly alarm: AlarmWays;
}

export const WATCH_SERVICE = "backup-watch";
export const WATCH_SETTINGS_FILE = "/run/secrets/backup-watch";
export const WATCH_CODE_FILE = "/archipelago/backup-watch.js.gz";
/** Directory that outlives the task: what was told to whom. */
export const WATCH_STATE = "/state";
