import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { scripts } from "../../../package.json";

const root = path.resolve(__dirname, "../../..");
const pages = execFileSync(
  "git",
  ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
  { cwd: root, encoding: "utf8" },
)
  .split("\n")
  .filter((page) => page !== "" && fs.existsSync(path.join(root, page)));

/** Code samples show links and headings that are none. */
const withoutSamples = (text: string) => text.replace(/^```[\s\S]*?^```/gm, "");

const read = (page: string) => fs.readFileSync(path.join(root, page), "utf8");

/** GitHub's anchors: lower case, spaces become hyphens, other punctuation goes. */
function anchorsOf(page: string): string[] {
  return [...withoutSamples(read(page)).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

test.each(pages)("no link of %s leads nowhere", (page) => {
  const links = [...withoutSamples(read(page)).matchAll(/\]\(([^)\s]+)\)/g)].map(
    ([, link = ""]) => link,
  );
  const broken = links
    .filter((link) => !/^[a-z]+:/.test(link))
    .filter((link) => {
      const [file = "", anchor] = link.split("#");
      const target = file === "" ? page : path.join(path.dirname(page), file);
      if (!fs.existsSync(path.join(root, target))) return true;
      return anchor !== undefined && !anchorsOf(target).includes(anchor);
    });
  expect(broken).toEqual([]);
});

test.each(pages)("every command that %s tells a reader to run exists", (page) => {
  const named = [...read(page).matchAll(/npm run (?:--silent )?([a-z][a-z:-]*)/g)].map(
    ([, name = ""]) => name,
  );
  expect(named.filter((name) => !(name in scripts))).toEqual([]);
});

test.each(pages)("every source file that %s points at in code quotes exists", (page) => {
  // Stack files are named as examples, too.
  const quoted =
    /`((?:\.github|components|docs|infra|local|providers|scripts|test)\/[\w./-]+\.\w+)`/g;
  const named = [...withoutSamples(read(page)).matchAll(quoted)].map(([, name = ""]) => name);
  expect(named.filter((name) => !fs.existsSync(path.join(root, name)))).toEqual([]);
});
