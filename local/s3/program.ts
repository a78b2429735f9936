/** Finds, downloads or builds the S3 server that stands for Spaces (docs/adr/0014). */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { isExecutable } from "../engine/engine";
import { withLock } from "../engine/lock";
import { buildGo, type GoProgram } from "../go-build";
import { packedFile } from "../machines/docker/files";
import { cacheDir, checkout } from "../paths";
import type { Step } from "../progress";

/** The same as in build/go.mod. https://github.com/versity/versitygw */
export const S3_VERSION = "1.8.0";

const RELEASES = "https://github.com/versity/versitygw/releases/download";
const CHECKSUMS = "checksums.txt";
const DOWNLOAD_TIMEOUT_MS = 5 * 60_000;

const PROGRAM: GoProgram = {
  name: `The S3 server versitygw ${S3_VERSION}`,
  remedy: `take \`files\` out of the stack file, make ${RELEASES} reachable,`,
  pins: path.join(checkout, "local/s3/build"),
  module: "github.com/versity/versitygw",
  package: "github.com/versity/versitygw/cmd/versitygw",
  // It runs in a container, whose C library is another one than this machine's.
  static: true,
  needsGib: 2,
  downloadTakes: "once, up to a minute",
  buildTakes: "once, 2 to 5 minutes on 2 cores",
};

/** Where the program is, or will be. */
export const s3Program = () => path.join(cacheDir(), "s3", S3_VERSION, "versitygw");

/** Whether it is there. */
export const hasS3Program = () => isExecutable(s3Program());

/** @throws {Fault} when it can neither be downloaded nor built. */
export async function ensureS3Program(step: Step): Promise<void> {
  if (hasS3Program()) return;
  const program = s3Program();
  fs.mkdirSync(path.dirname(program), { recursive: true });
  await withLock(
    path.join(cacheDir(), "s3/lock"),
    (text) => step.note(text),
    async () => {
      if (hasS3Program()) return;
      step.note(`downloading the release ${S3_VERSION}`);
      const released = await downloadS3Program().catch(() => undefined);
      if (released === undefined) return buildGo(PROGRAM, program, step);
      const partial = `${program}.${process.pid}`;
      fs.writeFileSync(partial, released, { mode: 0o755 });
      fs.renameSync(partial, program);
    },
  );
}

/**
 * The program out of the release's archive.
 *
 * @param releases URL of the directory of releases.
 * @throws {Error} when the release cannot be reached, or is not what its list of checksums says.
 */
export async function downloadS3Program(releases = RELEASES): Promise<Buffer> {
  const machine = process.arch === "x64" ? "x86_64" : process.arch;
  const name = `versitygw_v${S3_VERSION}_Linux_${machine}`;
  const signal = AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS);
  const fetched = async (file: string) => {
    const response = await fetch(`${releases}/v${S3_VERSION}/${file}`, { signal });
    if (!response.ok) throw new Error(`${file}: ${response.status}`);
    return Buffer.from(await response.arrayBuffer());
  };
  const [checksums, archive] = await Promise.all([fetched(CHECKSUMS), fetched(`${name}.tar.gz`)]);
  const digest = createHash("sha256").update(archive).digest("hex");
  const line = new RegExp(`^${digest} +\\*?${name}\\.tar\\.gz$`, "m");
  if (!line.test(checksums.toString())) throw new Error(`${name}.tar.gz is damaged`);
  return packedFile(archive, `${name}/versitygw`);
}
