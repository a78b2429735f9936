import { remedyFor } from "../../../scripts/operator/remedy";

describe("status tells what to do about a task's error", () => {
  test.each([
    ["No such image: acme/web:v9", /check the image's name/],
    ["no suitable node (insufficient resources on 1 node)", /larger size/],
    ["task: non-zero exit (137)", /memoryMib/],
    ["task: non-zero exit (1)", /its logs say why/],
    ["task: unhealthy container", /health\.path/],
    ['starting container failed: exec: "serve": executable file not found in $PATH', /`command`/],
    [
      'invalid mount config for type "bind": bind source path does not exist: /mnt/data/x',
      /Volume/,
    ],
  ])("%s", (message, remedy) => {
    expect(remedyFor(message)).toMatch(remedy);
  });

  test("an error nobody foresaw gets no made-up advice", () => {
    expect(remedyFor("flux capacitor drained")).toBeUndefined();
  });
});
