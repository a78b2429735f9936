import type Docker from "dockerode";
import { connectEngine, hasImage } from "./engine";
import type { ArchiveFile } from "./files";
import { build, buildError, ensureBase, nodeBinary, type Progress } from "./image-build";
import { type ImageNames, imageNames, readImageSources, type SupportStage } from "./image-names";
import { seedMirrorImage } from "./mirror-seed";

const STAGES: readonly SupportStage[] = ["web", "database", "support"];

/**
 * Makes the images that are not there yet, in two to four minutes; later calls return at once. Images are
 * named by their contents and shared by every checkout on an engine.
 *
 * An interrupted build leaves nothing that a later one would trust: images get their name at the end.
 *
 * @throws {Error} one sentence with the remedy when the disk is full, packages cannot be had or a tool is missing.
 */
export async function ensureImages(
  progress: Progress = () => undefined,
  docker: Docker = connectEngine(),
): Promise<ImageNames> {
  const sources = await readImageSources();
  const names = imageNames(sources);
  if (!(await hasImage(docker, names.machine))) {
    await ensureBase(docker, progress);
    await build(docker, "machine image", names.machine, sources.machine, undefined, progress);
  }
  let context: readonly ArchiveFile[] | undefined;
  for (const stage of STAGES) {
    if (await hasImage(docker, names.support[stage])) continue;
    await ensureBase(docker, progress);
    context ??= [...sources.support, await nodeBinary(progress)];
    await build(docker, `${stage} image`, names.support[stage], context, stage, progress);
  }
  if (!(await hasImage(docker, names.mirror))) {
    progress("registry mirror: filling");
    await seedMirrorImage(docker, names).catch((error: unknown) => {
      throw buildError("registry mirror", error);
    });
  }
  return names;
}

/**
 * Names of the images, for those who need them now.
 *
 * @throws {Error} when set-up has not made them.
 */
export async function requireImages(docker: Docker): Promise<ImageNames> {
  const names = imageNames(await readImageSources());
  for (const name of [names.machine, names.support.web, names.support.support, names.mirror]) {
    if (!(await hasImage(docker, name))) {
      throw new Error(`the image ${name} is missing; run \`npm start\` to have it built`);
    }
  }
  return names;
}
