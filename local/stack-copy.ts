/** The copy of a stack file that local mode runs on: the stack file itself is never edited. */
import * as fs from "node:fs";
import * as path from "node:path";
import { isMap, isScalar, parseDocument, visit, type Document } from "yaml";
import { Fault } from "./fault";
import { checkout, localDir } from "./paths";

/** Where stack files are: `$ARCHIPELAGO_STACKS`, default `stacks` in the checkout. */
const stacksDir = () => path.resolve(checkout, process.env.ARCHIPELAGO_STACKS ?? "stacks");

/** Settings of DigitalOcean's provider: all but those that say how patiently it asks. */
const POINTS_AT_THE_CLOUD = /^digitalocean:(?!httpRetry|requestsPerSecond$)/;

/** Names of the stacks that have a file. */
export function stackNames(): string[] {
  return fs
    .readdirSync(stacksDir())
    .flatMap((name) => /^Pulumi\.(.+)\.yaml$/.exec(name)?.[1] ?? [])
    .sort();
}

/** Whether a stack's file asks for a bucket, of its own files or for backups; what is wrong with the file is for others to say. */
export function wantsFiles(stack: string): boolean {
  const source = path.join(stacksDir(), `Pulumi.${stack}.yaml`);
  if (!fs.existsSync(source)) return false;
  const document = parseDocument(fs.readFileSync(source, "utf8"));
  const files: unknown = document.getIn(["config", "archipelago:files"]);
  return (
    (files !== undefined && files !== false) || document.hasIn(["config", "archipelago:backup"])
  );
}

/** The error that names the stacks there are. */
export function noSuchStack(stack: string): Fault {
  return new Fault(
    `There is no stack "${stack}": stacks/ has ${stackNames().join(", ")}. ` +
      `Make stacks/Pulumi.${stack}.yaml, or name one of those.`,
  );
}

/**
 * Writes the copy and answers its path.
 *
 * @throws {Fault} when the stack has no file, or one that is not YAML.
 */
export function copyStack(stack: string): string {
  const source = path.join(stacksDir(), `Pulumi.${stack}.yaml`);
  if (!fs.existsSync(source)) throw noSuchStack(stack);
  const target = path.join(localDir(), "stacks", `Pulumi.${stack}.yaml`);
  const salt = fs.existsSync(target)
    ? parseDocument(fs.readFileSync(target, "utf8")).get("encryptionsalt")
    : undefined;
  const document = parseDocument(fs.readFileSync(source, "utf8"));
  const fault = document.errors[0];
  if (fault) throw new Fault(`stacks/Pulumi.${stack}.yaml: ${fault.message}`);
  toLocal(document);
  if (salt) document.set("encryptionsalt", salt);
  fs.mkdirSync(path.dirname(target), { recursive: true });
  fs.writeFileSync(target, document.toString());
  return target;
}

/**
 * Makes a stack file fit for local mode: each `secure:` value becomes a placeholder string that names
 * its key (it could not be decrypted here, and must not be needed), and what points at the cloud goes.
 */
export function toLocal(document: Document): void {
  for (const key of ["encryptionsalt", "secretsprovider", "encryptedkey"]) document.delete(key);
  const config = document.get("config");
  if (isMap(config)) {
    config.items = config.items.filter(
      ({ key }) => !(isScalar(key) && POINTS_AT_THE_CLOUD.test(String(key.value))),
    );
  }
  visit(document, {
    Pair(_, pair) {
      if (isMap(pair.value) && pair.value.items.length === 1 && pair.value.has("secure")) {
        const name = isScalar(pair.key) ? String(pair.key.value) : "value";
        pair.value = document.createNode(placeholderFor(name));
      }
      return undefined;
    },
  });
}

/** Of the form that is asked for: a URL leads nowhere. https://www.rfc-editor.org/rfc/rfc2606 */
function placeholderFor(name: string): string {
  const placeholder = `local-placeholder-for-${name}`;
  return /webhook$|^heartbeat$/i.test(name) ? `https://${placeholder}.invalid` : placeholder;
}
