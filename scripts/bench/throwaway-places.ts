/** Real places for backups on loopback, each with a directory of its own, for tests and benchmarks: an S3 server, an SSH server. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { userInfo } from "node:os";
import * as path from "node:path";
import { AwsClient } from "aws4fetch";
import type { BucketPlace, SftpPlace } from "../../components/backup/settings";
import { s3Program } from "../../local/s3/program";
import { freePort } from "./free-port";

export interface Served<Place> {
  readonly place: Place;
  /** To be killed. */
  readonly process: ChildProcess;
}

/** versitygw, with an empty bucket `backups`. @param root where `s3/<bucket>` has its objects as plain files. */
export async function serveBucket(root: string): Promise<Served<BucketPlace>> {
  mkdirSync(path.join(root, "s3"));
  const port = await freePort();
  const args = ["--quiet", "--port", `127.0.0.1:${port}`, "posix", path.join(root, "s3")];
  const login = { ROOT_ACCESS_KEY: "root", ROOT_SECRET_KEY: "root-secret" };
  const process = spawn(s3Program(), args, {
    env: { PATH: globalThis.process.env.PATH, ...login },
    stdio: "ignore",
  });
  const place: BucketPlace = {
    kind: "s3",
    endpoint: `http://127.0.0.1:${port}`,
    region: "us-east-1",
    bucket: "backups",
    accessKey: "root",
    secretKey: "root-secret",
  };
  const client = new AwsClient({
    accessKeyId: place.accessKey,
    secretAccessKey: place.secretKey,
    service: "s3",
    region: place.region,
    retries: 0,
  });
  await answered("the S3 server", async () => {
    const { status } = await client.fetch(`${place.endpoint}/backups`, { method: "PUT" });
    return status === 200;
  });
  return { place, process };
}

/** OpenSSH's sshd, which lets this user in by SFTP. @param root where `copies` is what it keeps. */
export async function serveSftp(root: string): Promise<Served<SftpPlace>> {
  const file = (name: string) => path.join(root, name);
  mkdirSync("/run/sshd", { recursive: true });
  for (const name of ["host", "login"]) {
    spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file(name)]);
  }
  writeFileSync(file("authorized"), readFileSync(file("login.pub")));
  const port = await freePort();
  const options = {
    AuthorizedKeysFile: file("authorized"),
    HostKey: file("host"),
    ListenAddress: `127.0.0.1:${port}`,
    PidFile: "none",
    StrictModes: "no",
    UsePAM: "no",
    Subsystem: "sftp internal-sftp",
  };
  const args = Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  const process = spawn("/usr/sbin/sshd", ["-D", "-f", "/dev/null", ...args], { stdio: "ignore" });
  await answered("sshd", () => listens(port));
  const place: SftpPlace = {
    kind: "sftp",
    host: "127.0.0.1",
    port,
    user: userInfo().username,
    path: file("copies"),
    hostKey: readFileSync(file("host.pub"), "utf8").split(" ").slice(0, 2).join(" "),
    key: readFileSync(file("login"), "utf8"),
  };
  return { place, process };
}

const START_TIMEOUT_MS = 20_000;

async function answered(what: string, isReady: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await isReady().catch(() => false))) {
    if (Date.now() > deadline) throw new Error(`${what} does not start`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const listens = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    }).once("error", () => resolve(false));
  });
