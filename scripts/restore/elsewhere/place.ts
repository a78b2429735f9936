/** A place with backups, as somebody names it who has no stack. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { homedir } from "node:os";
import * as path from "node:path";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import type { BucketPlace, Place, SftpPlace } from "../../../components/backup/settings";
import { Fault } from "../../../local/fault";

const FORMS =
  "s3://<server>/<bucket>, such as s3://fra1.digitaloceanspaces.com/backups-1a2b3c4, or sftp://<user>@<host>[:port]/<directory>";

/** That Spaces takes, in each of its regions. */
const REGION = "us-east-1";

/** As OpenSSH looks for them. */
const SSH_KEYS = ["id_ed25519", "id_ecdsa", "id_rsa"];

export interface PlaceOptions {
  /** OpenSSH private key. @default one of those in ~/.ssh */
  readonly sshKey?: string | undefined;
  /** File of host keys that are trusted. @default ~/.ssh/known_hosts */
  readonly knownHosts?: string | undefined;
}

/**
 * @param url of a place. Logins are no part of it: command lines can be read by everybody on the machine.
 * @throws {Fault} when it has another form, or a login is missing.
 */
export async function placeOf(url: string, options: PlaceOptions): Promise<Place> {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const { protocol = "", username = "", password = "", pathname = "" } = parsed ?? {};
  if (parsed === undefined || parsed.host === "" || pathname.length < 2) {
    throw new Fault(`--place must be ${FORMS}, got ${url.replace(/\/\/[^@/]*@/, "//…@")}`);
  }
  if (password !== "") throw new Fault("--place takes no password: it would be seen by others.");
  if (protocol === "s3:") return bucketOf(parsed, "https");
  // For a server on this machine, or behind a tunnel.
  if (protocol === "s3+http:") return bucketOf(parsed, "http");
  if (protocol === "sftp:" && username !== "") return sshServerOf(parsed, options);
  throw new Fault(`--place must be ${FORMS}`);
}

async function bucketOf(url: URL, scheme: "http" | "https"): Promise<BucketPlace> {
  const [bucket = "", ...rest] = url.pathname.slice(1).replace(/\/$/, "").split("/");
  if (rest.length > 0) throw new Fault(`--place names a bucket and nothing in it: ${FORMS}`);
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION } = process.env;
  const { SPACES_ACCESS_KEY_ID, SPACES_SECRET_ACCESS_KEY } = process.env;
  return {
    kind: "s3",
    endpoint: `${scheme}://${url.host}`,
    region: AWS_REGION ?? REGION,
    bucket,
    accessKey: AWS_ACCESS_KEY_ID ?? SPACES_ACCESS_KEY_ID ?? (await ask("Access key of the bucket")),
    secretKey:
      AWS_SECRET_ACCESS_KEY ?? SPACES_SECRET_ACCESS_KEY ?? (await ask("Secret key of the bucket")),
  };
}

function sshServerOf(url: URL, { sshKey, knownHosts }: PlaceOptions): SftpPlace {
  const { hostname: host, port, username, pathname } = url;
  return {
    kind: "sftp",
    host,
    port: port === "" ? 22 : Number(port),
    user: decodeURIComponent(username),
    path: decodeURIComponent(pathname),
    hostKey: hostKeys(host, port, knownHosts ?? path.join(homedir(), ".ssh/known_hosts")),
    key: privateKey(sshKey),
  };
}

/** @returns public keys, a line each. @throws {Fault} when the host is none that is trusted. */
function hostKeys(host: string, port: string, file: string): string {
  const name = port === "" || port === "22" ? host : `[${host}]:${port}`;
  const { stdout } = spawnSync("ssh-keygen", ["-F", name, "-f", file], { encoding: "utf8" });
  const keys = (stdout ?? "")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(" ").slice(1, 3).join(" "));
  if (keys.length > 0) return keys.join("\n");
  const scan = `ssh-keyscan${name === host ? "" : ` -p ${port}`} ${host} >> ${file}`;
  throw new Fault(
    `${file} has no host key of ${name}. Compare what ${scan} adds with what the server's owner says, then again.`,
  );
}

function privateKey(file: string | undefined): string {
  const all =
    file === undefined ? SSH_KEYS.map((name) => path.join(homedir(), ".ssh", name)) : [file];
  const found = all.find((each) => fs.existsSync(each));
  if (found !== undefined) return fs.readFileSync(found, "utf8");
  throw new Fault(`There is no SSH key in ${all.join(" or ")}: --ssh-key names its file.`);
}

/** Asks for a secret, which is not shown. @throws {Fault} when nobody can be asked. */
async function ask(what: string): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new Fault(
      `${what}: nobody can be asked here. AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment say it.`,
    );
  }
  process.stderr.write(`${what}: `);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  reader.once("SIGINT", () => process.exit(130));
  try {
    return (await reader.question("")).trim();
  } finally {
    reader.close();
    process.stderr.write("\n");
  }
}
