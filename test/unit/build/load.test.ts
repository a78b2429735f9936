import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

const checkout = path.resolve(__dirname, "../../..");

describe("a program of ours", () => {
  let dir: string;
  const file = (name: string) => path.join(dir, name);
  const write = (name: string, text: string) => fs.writeFileSync(file(name), text);
  const compiled = () =>
    fs.readdirSync(file("node_modules/.cache/archipelago")).filter((name) => /\.cjs$/.test(name));

  /** What the program says in a process of its own. */
  const run = () =>
    execFileSync(process.execPath, [file("build/run.cjs"), "main.ts"], {
      encoding: "utf8",
      stdio: "pipe",
    }).trim();

  beforeEach(() => {
    dir = fs.realpathSync(fs.mkdtempSync(path.join(tmpdir(), "archipelago-load-")));
    fs.cpSync(path.join(checkout, "build"), file("build"), { recursive: true });
    fs.mkdirSync(file("node_modules"));
    fs.symlinkSync(path.join(checkout, "node_modules/esbuild"), file("node_modules/esbuild"));
    for (const name of ["package-lock.json", "tsconfig.json", "words.json"]) write(name, "{}");
    write("greeting.ts", `export const greeting: string = "hello";`);
    write(
      "main.ts",
      `import { greeting } from "./greeting";
       import words from "./words.json";
       console.log(greeting, Object.keys(words).join(), __dirname);`,
    );
  });
  afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

  test("runs as its sources are now, in whatever file of them something changed, and back", () => {
    expect(run()).toBe(`hello  ${dir}`);
    write("greeting.ts", `export const greeting = "good evening";`);
    expect(run()).toBe(`good evening  ${dir}`);
    write("words.json", `{ "world": 1 }`);
    expect(run()).toBe(`good evening world ${dir}`);
    write("other.ts", `export { greeting } from "./greeting";`);
    write("main.ts", `import { greeting } from "./other"; console.log(greeting);`);
    expect(run()).toBe("good evening");
    write("greeting.ts", `export const greeting = "good night";`);
    expect(run()).toBe("good night");
  });

  test("is not compiled again for a source that it has no part of, nor without any change", () => {
    run();
    const before = compiled();
    write("other.ts", "export {};");
    expect(run()).toBe(`hello  ${dir}`);
    expect(compiled()).toEqual(before);
  });

  test("says which source is at fault, and that it has gone", () => {
    run();
    fs.rmSync(file("greeting.ts"));
    expect(run).toThrow(/Could not resolve ".\/greeting"/);
  });
});
