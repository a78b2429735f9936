import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

const SETUP = path.resolve(__dirname, "../../../scripts/setup.cjs");

/** As `npm ci`: removes the packages, takes its time, and puts them back. */
const NPM = `#!/bin/sh
echo begun >> log
rm -rf node_modules
sleep 0.5
mkdir node_modules
echo ended >> log
`;

describe("two commands in a checkout whose packages are not there", () => {
  let dir: string;
  const file = (name: string) => path.join(dir, name);

  beforeEach(() => {
    dir = fs.realpathSync(fs.mkdtempSync(path.join(tmpdir(), "archipelago-setup-")));
    for (const name of ["scripts", "build", "bin"]) fs.mkdirSync(file(name));
    fs.copyFileSync(SETUP, file("scripts/setup.cjs"));
    fs.writeFileSync(file("build/load.cjs"), "module.exports = () => console.log('loaded');");
    fs.writeFileSync(file("package-lock.json"), "{}");
    fs.writeFileSync(file("bin/npm"), NPM, { mode: 0o755 });
  });
  afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

  function command(): Promise<string> {
    const child = spawn(process.execPath, [file("scripts/setup.cjs")], {
      env: { ...process.env, PATH: `${file("bin")}:${process.env.PATH ?? ""}`, TMPDIR: dir },
      stdio: ["ignore", "pipe", "ignore"],
    });
    let said = "";
    child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
    return new Promise((resolve) =>
      child.once("close", (code) => resolve(`${said.trim()} ${code}`)),
    );
  }

  test("install them once, and neither begins before they are complete", async () => {
    expect(await Promise.all([command(), command(), command()])).toEqual(
      Array.from({ length: 3 }, () => "loaded 0"),
    );
    expect(fs.readFileSync(file("log"), "utf8")).toBe("begun\nended\n");
  });

  test("do not wait for one that was killed", async () => {
    const [, lock = ""] = await Promise.all([command(), lockFile()]);
    fs.rmSync(file("node_modules"), { recursive: true });
    const dead = spawn(process.execPath, ["-e", ""]);
    await new Promise((resolve) => dead.once("close", resolve));
    fs.writeFileSync(lock, String(dead.pid));
    expect(await command()).toBe("loaded 0");
    expect(fs.existsSync(lock)).toBe(false);
  });

  test("build the sample app when its sources are newer, and only then", async () => {
    fs.mkdirSync(file("examples/notes/src"), { recursive: true });
    fs.writeFileSync(file("examples/notes/src/main.ts"), "");
    fs.writeFileSync(
      file("examples/build.mjs"),
      `import { appendFileSync, mkdirSync } from "node:fs";
       mkdirSync("examples/notes/dist", { recursive: true });
       appendFileSync("examples/notes/dist/server.js", "built;");`,
    );
    const built = () => fs.readFileSync(file("examples/notes/dist/server.js"), "utf8");
    expect(await command()).toBe("loaded 0");
    expect(await command()).toBe("loaded 0");
    expect(built()).toBe("built;");
    const later = new Date(Date.now() + 60_000);
    fs.utimesSync(file("examples/notes/src/main.ts"), later, later);
    expect(await command()).toBe("loaded 0");
    expect(built()).toBe("built;built;");
  });

  /** The lock of the command that runs. */
  async function lockFile(): Promise<string> {
    for (;;) {
      const name = fs.readdirSync(dir).find((entry) => entry.startsWith("archipelago-packages-"));
      if (name !== undefined) return file(name);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
});
