import * as path from "node:path";
import type { Place } from "./settings";

/** Of a streamed upload: 10,000 of them are the most that S3 takes for an object, so 156 GiB. */
const CHUNK = "16Mi";

/** Where a stack's files are in a place, as rclone writes it. */
export function rootOf(name: string, place: Place, stack: string): string {
  return `${name}:${path.posix.join(place.kind === "s3" ? place.bucket : place.path, stack)}`;
}

/**
 * rclone's own configuration of a place. https://rclone.org/s3/ https://rclone.org/sftp/
 *
 * @param directory of the files that `keyFiles` names.
 */
export function rcloneConfig(name: string, place: Place, directory = ""): string {
  const options =
    place.kind === "s3"
      ? {
          type: "s3",
          provider: "Other",
          endpoint: place.endpoint,
          region: place.region,
          access_key_id: place.accessKey,
          secret_access_key: place.secretKey,
          acl: "private",
          // The key is for one bucket, and may not ask for others.
          no_check_bucket: "true",
          chunk_size: CHUNK,
          upload_concurrency: "2",
        }
      : {
          type: "sftp",
          host: place.host,
          port: String(place.port),
          user: place.user,
          key_file: path.join(directory, `${name}.key`),
          known_hosts_file: path.join(directory, `${name}.known`),
          // Servers that let nobody run commands are fine: everything is read back.
          shell_type: "none",
          disable_hashcheck: "true",
          set_modtime: "false",
        };
  const lines = Object.entries(options).map(([option, value]) => `${option} = ${value}`);
  return [`[${name}]`, ...lines, ""].join("\n");
}

/** Files that the configuration of an SSH server needs beside it, by name: the key, and whom to trust. */
export function keyFiles(name: string, place: Place): [string, string][] {
  if (place.kind === "s3") return [];
  const { host, port, hostKey, key } = place;
  const server = port === 22 ? host : `[${host}]:${port}`;
  const known = hostKey
    .trim()
    .split("\n")
    .map((line) => `${server} ${line}\n`);
  return [
    [`${name}.key`, key.endsWith("\n") ? key : `${key}\n`],
    [`${name}.known`, known.join("")],
  ];
}
