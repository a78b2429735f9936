import * as fs from "node:fs";
import * as path from "node:path";
import type { Readable } from "node:stream";
import dockerIgnore from "@balena/dockerignore";
import { pack } from "tar-stream";

/**
 * The files of a directory as Docker sends them to be built: without what `.dockerignore` names, but always
 * with the Dockerfile.
 *
 * @throws {Error} when the directory or the Dockerfile does not exist
 */
export function buildContext(directory: string, dockerfile: string): Readable {
  if (!fs.existsSync(path.join(directory, dockerfile))) {
    throw new Error(`there is no ${dockerfile} in the build context ${directory}`);
  }
  const tar = pack();
  void addAll(tar, directory, contextFiles(directory, dockerfile)).catch((error: unknown) =>
    tar.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  return tar as unknown as Readable;
}

/** Relative paths, with `/`, of what belongs to the context. */
export function contextFiles(directory: string, dockerfile: string): string[] {
  const file = path.join(directory, ".dockerignore");
  const rules = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
  const ignore = dockerIgnore().add(rules);
  const exceptions = /^\s*!/m.test(rules);
  const always = [dockerfile, ".dockerignore"].map((name) => path.posix.normalize(name));
  const walk = (prefix: string): string[] =>
    fs.readdirSync(path.join(directory, prefix), { withFileTypes: true }).flatMap((entry) => {
      const name = prefix === "" ? entry.name : `${prefix}/${entry.name}`;
      const kept = always.includes(name) || !ignore.ignores(name);
      if (entry.isDirectory()) {
        // An exception may lie below an ignored directory, and so may the Dockerfile.
        const look = kept || exceptions || always.some((one) => one.startsWith(`${name}/`));
        return look ? walk(name) : [];
      }
      return kept && (entry.isFile() || entry.isSymbolicLink()) ? [name] : [];
    });
  return walk("").sort();
}

async function addAll(
  tar: ReturnType<typeof pack>,
  directory: string,
  files: readonly string[],
): Promise<void> {
  for (const name of files) {
    const file = path.join(directory, name);
    const stat = fs.lstatSync(file);
    const header = { name, mode: stat.mode & 0o7777, mtime: stat.mtime };
    if (stat.isSymbolicLink()) {
      tar.entry({ ...header, type: "symlink", linkname: fs.readlinkSync(file) });
      continue;
    }
    const content = await fs.promises.readFile(file);
    await new Promise<void>((resolve, reject) =>
      tar.entry(header, content, (error) => (error ? reject(error) : resolve())),
    );
  }
  tar.finalize();
}
