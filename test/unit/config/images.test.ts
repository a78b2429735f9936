import { IMAGES } from "../../../components/images";
import { SUBSTITUTES } from "../../../local/machines/docker/image-names";

test("local mode serves every image that Archipelago adds, or a stack would not come up offline", () => {
  const served = SUBSTITUTES.map(({ repository, tag }) => `${repository}:${tag}`);
  const used = Object.values(IMAGES).map((image) =>
    image.includes("/") ? image : `library/${image}`,
  );
  expect(served).toEqual(expect.arrayContaining(used));
});
