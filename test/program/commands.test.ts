/** One smoke for each command that looks after data: that it is there, and refuses nonsense before it does anything. */
import { spawn } from "node:child_process";
import * as path from "node:path";
import { finished, root } from "./support/cloud";

const environment = {
  ...process.env,
  DIGITALOCEAN_TOKEN: "",
  ARCHIPELAGO_LOCAL_DIR: "/nonexistent",
};

function npm(...words: string[]) {
  return finished(
    spawn(process.execPath, [path.join(root, "scripts/setup.cjs"), ...words], {
      cwd: root,
      env: environment,
      stdio: ["ignore", "pipe", "pipe"],
    }),
  );
}

test.each([
  ["backup", ["list", "test-alarm", "keygen", "--json"]],
  ["restore", ["--to", "--into", "--identity", "--dry-run", "--json"]],
  ["migrate sqlite", ["--to", "--rehearse", "--dry-run", "--json"]],
  ["migrate postgres", ["--from", "--to", "--follow", "--end", "--dry-run", "--json"]],
  ["adopt compose", ["--out", "--json"]],
  ["adopt cloud", ["--out", "--json"]],
  ["adopt data", ["--from", "--volume", "--postgres", "--rehearse", "--dry-run", "--json"]],
  ["switch", ["--rehearse", "--dry-run", "--json", "--yes"]],
])(
  "npm run %s -- --help names its options",
  async (command, options) => {
    const { code, stdout } = await npm(...command.split(" "), "--help");
    expect(code).toBe(0);
    for (const option of options) expect(stdout).toContain(option);
  },
  60_000,
);

test.each([
  ["backup shop now", "or nothing, got now"],
  ["restore shop --from third", "--from must be first or second, got third"],
  ["migrate sqlite no.db --to shop", "There is no file no.db."],
  ["migrate postgres --from here --to shop:managed", "--from must be"],
  ["switch shop shop", "needs two stacks, got shop twice"],
  ["adopt compose no.yaml", "no.yaml"],
  ["adopt data shop", "required option '--from <server>'"],
  ["adopt data shop --from . --volume storage", "--volume must be <volume or directory>=<service>"],
])(
  "npm run %s is refused in words that help, without a stack trace",
  async (words, message) => {
    const { code, output } = await npm(...words.split(" "));
    expect(code).toBe(1);
    expect(output).toContain(message);
    expect(output).not.toMatch(/\n +at /);
  },
  60_000,
);
