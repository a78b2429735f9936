import { IMAGES } from "../../../components/images";
import { buildError } from "../../../local/machines/docker/image-build";
import {
  imageNames,
  readImageSources,
  SUBSTITUTES,
} from "../../../local/machines/docker/image-names";

describe("images", () => {
  it("stand in for every image that the program uses", () => {
    const served = SUBSTITUTES.map(({ repository, tag }) =>
      `${repository}:${tag}`.replace(/^library\//, ""),
    );
    expect(new Set(Object.values(IMAGES))).toEqual(new Set(served));
  });

  it("get another name when any input changes, so that an update is built", async () => {
    const sources = await readImageSources();
    const before = imageNames(sources);
    expect(imageNames(await readImageSources())).toEqual(before);
    const [file, ...others] = sources.machine;
    const changed = { ...sources, machine: [{ ...file!, content: "other" }, ...others] };
    expect(imageNames(changed).machine).not.toBe(before.machine);
    expect(imageNames(changed).support).toEqual(before.support);
  });

  it.each([
    ["write /var/lib/docker/x: no space left on device", "the disk is full"],
    ["E: Failed to fetch http://x  Could not resolve 'x'", "check the network"],
    ["spawn mmdebstrap ENOENT", "apt-get install mmdebstrap"],
  ])("say what to do when %s", (said, remedy) => {
    expect(buildError("machine image", new Error(said)).message).toContain(remedy);
  });
});
