import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import type Docker from "dockerode";
import { engineMessage, hasImage } from "./engine";
import { archive, type ArchiveFile, packedFile } from "./files";
import { BASE_IMAGE, BASE_SOURCE, DEBIAN_SUITE, NODE_VERSION } from "./image-names";

/** Receives one line for the operator at a time, e.g. `machine image: step 2 of 8`. */
export type Progress = (line: string) => void;

/** A registry that has not begun to answer by then counts as unreachable. */
const PULL_TIMEOUT_MS = 20_000;

/** Makes sure that there is a Debian to build on. */
export async function ensureBase(docker: Docker, progress: Progress): Promise<void> {
  if (await hasImage(docker, BASE_IMAGE)) return;
  progress(`base image: looking for ${BASE_SOURCE} in a registry`);
  if (await pull(docker, BASE_SOURCE)) {
    await docker.getImage(BASE_SOURCE).tag(reference(BASE_IMAGE));
    return;
  }
  progress("base image: no registry answers, bootstrapping Debian from packages (about a minute)");
  await bootstrapBase(docker);
}

/** True when the image was pulled; an unreachable registry is no error here. */
async function pull(docker: Docker, image: string): Promise<boolean> {
  try {
    const stream = await docker.pull(image, {
      abortSignal: AbortSignal.timeout(PULL_TIMEOUT_MS),
    });
    await follow(docker, stream, () => undefined);
    return true;
  } catch {
    return false;
  }
}

/** Debian's minimal system straight from its packages into the engine. */
async function bootstrapBase(docker: Docker): Promise<void> {
  const unneeded = ["doc", "man", "locale"].map(
    (name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`,
  );
  const child = spawn("mmdebstrap", ["--variant=minbase", ...unneeded, DEBIAN_SUITE, "-"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-2000)));
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  // Imported under a passing name: a stream cut short would make an image too.
  const unfinished = `${BASE_IMAGE}-unfinished`;
  try {
    const [stream, code] = await Promise.all([
      docker.importImage(child.stdout, reference(unfinished)),
      ended,
    ]);
    await follow(docker, stream, () => undefined);
    if (code !== 0) throw new Error(said);
    await docker.getImage(unfinished).tag(reference(BASE_IMAGE));
    await docker.getImage(unfinished).remove();
  } catch (error) {
    child.kill();
    throw buildError("base image", error);
  }
}

/** A local image name as the engine's API takes it. */
export function reference(name: string): { readonly repo: string; readonly tag: string } {
  const [repo = "", tag = "latest"] = name.split(":");
  return { repo, tag };
}

/** Builds an image, and names it when it is whole. */
export async function build(
  docker: Docker,
  what: string,
  tag: string,
  context: readonly ArchiveFile[],
  target: string | undefined,
  progress: Progress,
): Promise<void> {
  try {
    const stream = await docker.buildImage(Readable.from([await archive(context)]), {
      t: tag,
      target,
      forcerm: true,
      buildargs: { BASE: BASE_IMAGE, ...proxyArguments() },
    });
    await follow(docker, stream, (line) => {
      const step = /^Step (\d+\/\d+) : (\S+)/.exec(line);
      if (step) progress(`${what}: ${describeStep(step[2] ?? "")} (${step[1]})`);
    });
    progress(`${what}: ready`);
  } catch (error) {
    throw buildError(what, error);
  }
}

function describeStep(instruction: string): string {
  if (instruction === "RUN") return "installing";
  if (instruction === "COPY") return "copying files";
  return "preparing";
}

/** Proxies of the operator's environment, which `docker build` takes as predefined arguments. */
function proxyArguments(): Record<string, string> {
  const names = ["http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
  );
}

/** Waits for the end of a stream of engine events and throws the error among them, with the last lines. */
export async function follow(
  docker: Docker,
  stream: NodeJS.ReadableStream,
  onLine: (line: string) => void,
): Promise<void> {
  const tail: string[] = [];
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(
      stream,
      (error) => {
        if (error) reject(new Error([...tail, engineMessage(error)].join("\n")));
        else resolve();
      },
      (event: { stream?: string }) => {
        for (const line of (event.stream ?? "").split("\n").filter((text) => text.trim() !== "")) {
          onLine(line);
          tail.push(line);
          if (tail.length > 15) tail.shift();
        }
      },
    );
  });
}

/** The Node binary of the npm package, kept in the cache that checkouts share. */
export async function nodeBinary(progress: Progress): Promise<ArchiveFile> {
  const cache =
    process.env.ARCHIPELAGO_CACHE ??
    path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), ".cache"), "archipelago");
  const packageName = `node-linux-${process.arch}`;
  const tarball = path.join(cache, `${packageName}-${NODE_VERSION}.tgz`);
  try {
    const packed = await readFile(tarball).catch(async () => {
      progress(`web image: fetching Node ${NODE_VERSION}`);
      await npmPack(`${packageName}@${NODE_VERSION}`, tarball);
      return readFile(tarball);
    });
    return { name: "bin/node", content: await packedFile(packed, "package/bin/node"), mode: 0o755 };
  } catch (error) {
    await rm(tarball, { force: true });
    throw buildError("web image", error);
  }
}

async function npmPack(spec: string, destination: string): Promise<void> {
  const cache = path.dirname(destination);
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(path.join(cache, "pack-"));
  try {
    const child = spawn("npm", ["pack", "--silent", spec], {
      cwd: work,
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    const [file] = await readdir(work);
    if (code !== 0 || file === undefined) throw new Error(`npm pack ${spec}: ${said.trim()}`);
    await rename(path.join(work, file), destination);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Turns what the engine or a tool said into one sentence with the remedy. */
export function buildError(what: string, error: unknown): Error {
  const said = engineMessage(error);
  const remedy = remedyFor(said);
  const lastLines = said.split("\n").slice(-5).join("\n");
  return new Error(`${what} could not be built: ${remedy ?? lastLines}`, { cause: error });
}

function remedyFor(said: string): string | undefined {
  if (/no space left on device|ENOSPC/i.test(said)) {
    return "the disk is full; free about 3 GB where Docker keeps its data and start again";
  }
  if (/mmdebstrap ENOENT/.test(said)) {
    return "no image registry answers and mmdebstrap is missing; run `apt-get install mmdebstrap` and start again";
  }
  if (
    /could not resolve|temporary failure resolving|failed to fetch|unable to fetch|cannot connect|connection timed out|EAI_AGAIN|ENOTFOUND/i.test(
      said,
    )
  ) {
    return "Debian's or npm's packages cannot be fetched; check the network and start again";
  }
  return undefined;
}
