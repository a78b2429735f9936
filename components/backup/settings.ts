/** What the backup agent is told. It holds logins, so that it travels as one Docker swarm secret. */

/** A bucket of any S3 server. */
export interface BucketPlace {
  readonly kind: "s3";
  /** URL without the bucket. */
  readonly endpoint: string;
  /** That requests are signed for. */
  readonly region: string;
  readonly bucket: string;
  readonly accessKey: string;
  readonly secretKey: string;
}

/** A directory on an SSH server. */
export interface SftpPlace {
  readonly kind: "sftp";
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Directory, made when it is missing. */
  readonly path: string;
  /** Pinned: `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
  /** OpenSSH private key, PEM. */
  readonly key: string;
}

export type Place = BucketPlace | SftpPlace;
export type PlaceName = "first" | "second";
/** What messages call a place that an operator names, where there is no stack. */
export const GIVEN_PLACE = "given";

/** How long backups are kept: the newest of each of so many days, weeks and months. */
export interface Keep {
  readonly days: number;
  readonly weeks: number;
  readonly months: number;
}

/** A PostgreSQL server with databases to save. */
export type DatabaseServer = ContainerServer | ManagedServer;

/** Reached by a Unix socket on the same node, as the server's own administrator. */
export interface ContainerServer {
  readonly kind: "container";
  /** Directory in the agent's container that holds the server's files and its socket's directory, `run`. */
  readonly directory: string;
  readonly databases: readonly string[];
}

/** DigitalOcean's. */
export interface ManagedServer {
  readonly kind: "managed";
  /** In the VPC. */
  readonly host: string;
  readonly port: number;
  /** PEM of the authority that signed the server's certificate. */
  readonly ca: string;
  /** The administrator: no superuser, but it may make databases and roles. */
  readonly user: string;
  readonly password: string;
  /** The administrator's own, which must stay: names of the others are changed from there. */
  readonly adminDatabase: string;
  /** The stack's; others that are there are saved, too. */
  readonly databases: readonly string[];
  /** Of a node's disk. Full, the server takes no more writes. */
  readonly diskBytes: number;
}

/** What services keep on the Volume. */
export interface ServiceVolumes {
  /** Directory in the agent's container that has one for each service, of its name. */
  readonly directory: string;
  readonly services: readonly string[];
}

export interface BackupSettings {
  readonly stack: string;
  /** age's public key: `age1…`. */
  readonly recipient: string;
  /** Five fields of cron, in UTC. */
  readonly schedule: string;
  readonly keep: Keep;
  readonly places: Readonly<Record<PlaceName, Place>>;
  readonly server?: DatabaseServer;
  /** URL that is asked for after each backup that is in every place. Secret. */
  readonly heartbeat?: string | undefined;
  readonly volumes?: ServiceVolumes;
  /** The bucket of uploaded files, with a key that reads, and writes when files are brought back. */
  readonly files?: BucketPlace;
}

export const SETTINGS_FILE = "/run/secrets/backup";
export const CODE_FILE = "/archipelago/backup.js.gz";
/** Touched at every look at the clock. */
export const ALIVE_FILE = "/tmp/alive";
/** Where the container database's files are in the agent's container. */
export const POSTGRES_DIRECTORY = "/data/postgres";
/** And the services' own. */
export const SERVICES_DIRECTORY = "/data/services";
