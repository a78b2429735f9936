import { Readable } from "node:stream";
import { connectEngine } from "../../local/machines/docker/engine";
import { ensureImages } from "../../local/machines/docker/images";
import { runInside, runOneOff } from "../../scripts/operator/one-off";

const docker = connectEngine();
let image: string;

beforeAll(async () => {
  image = (await ensureImages()).support.web;
}, 600_000);

const one = (command: readonly string[]) => ({
  name: "archipelago-test-one-off",
  image,
  command,
  memoryMib: 64,
});

const left = async () =>
  docker.listContainers({
    all: true,
    filters: JSON.stringify({ label: ["archipelago.one-off=archipelago-test-one-off"] }),
  });

test("a secret goes to a one-off container by its input, its output and status come back, and nothing is left", async () => {
  let said = "";
  let complained = "";
  const code = await runOneOff(docker, {
    ...one(["sh", "-c", "cat; echo no >&2; test -d /keys; exit 3"]),
    tmpfs: ["/keys"],
    stdin: Readable.from(["a secret\n", "and more\n"]),
    onStdout: (chunk) => (said += chunk.toString()),
    onStderr: (chunk) => (complained += chunk.toString()),
  });
  expect({ code, said, complained }).toEqual({
    code: 3,
    said: "a secret\nand more\n",
    complained: "no\n",
  });
  expect(await left()).toEqual([]);
});

test("an operator's Ctrl-C removes the container that works for them", async () => {
  const stop = new AbortController();
  const running = runOneOff(docker, {
    ...one(["sh", "-c", "echo begun; sleep 600"]),
    onStdout: () => stop.abort(),
    signal: stop.signal,
  });
  await running.catch(() => undefined);
  expect(stop.signal.aborted).toBe(true);
  expect(await left()).toEqual([]);
});

test("a container that joins another one's network reaches what listens there, and a command inside a task gets input", async () => {
  const server = await docker.createContainer({
    Image: image,
    Entrypoint: ["node", "-e", 'require("net").createServer((s) => s.end("hello")).listen(7000)'],
    HostConfig: { Memory: 64 * 2 ** 20 },
  });
  try {
    await server.start();
    let said = "";
    const hear = (chunk: Buffer) => (said += chunk.toString());
    const ask = "until exec 3<>/dev/tcp/127.0.0.1/7000; do :; done 2>/dev/null; cat <&3";
    await runOneOff(docker, {
      ...one(["bash", "-c", ask]),
      networkOf: server.id,
      onStdout: hear,
    });
    const inside = { engine: docker, container: server };
    const code = await runInside(inside, ["sh", "-c", "cat; exit 4"], {
      stdin: "!",
      onStdout: hear,
    });
    expect({ code, said }).toEqual({ code: 4, said: "hello!" });
  } finally {
    await server.remove({ force: true });
  }
});
