/** What a local DigitalOcean remembers about itself from one start to the next. */
import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import { localDir } from "../paths";

const schema = z.strictObject({
  /** Ports stay the same across restarts, so that a printed URL stays true; 0 = any. */
  port: z.number().default(0),
  metadataPort: z.number().default(0),
  /** How lifecycles progress: at once, or with DigitalOcean-like durations. */
  progress: z.enum(["immediate", "realistic"]).default("immediate"),
  /** Whether more than 250 requests a minute or 5,000 an hour are answered with 429. */
  rateLimit: z.boolean().default(false),
  /** Loopback port of an ACME server for Droplets; 0 = there is none. */
  acmePort: z.number().int().min(0).max(65_535).default(0),
});

export type Settings = z.infer<typeof schema>;

/** Reads `settings.json`, after merging `change` into it where one is given. */
export function settings(change?: Partial<Settings>): Settings {
  const file = path.join(localDir(), "settings.json");
  const kept: unknown = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")) : {};
  const result = schema.parse({ ...(kept as object), ...change });
  if (change) {
    fs.mkdirSync(localDir(), { recursive: true });
    fs.writeFileSync(`${file}.new`, `${JSON.stringify(result, null, 2)}\n`);
    fs.renameSync(`${file}.new`, file);
  }
  return result;
}
