import type { Config } from "../config";
import { type Fault, show } from "../faults";

/** https://docs.digitalocean.com/products/spaces/details/availability/ */
export const SPACES_REGIONS: readonly string[] = [
  "ams3",
  "atl1",
  "blr1",
  "fra1",
  "lon1",
  "nyc3",
  "sfo2",
  "sfo3",
  "sgp1",
  "syd1",
  "tor1",
];

export function filesFaults({ files, region }: Config): Fault[] {
  const wanted = files.region ?? region;
  if (!files.enabled || SPACES_REGIONS.includes(wanted)) return [];
  return [
    {
      path: "archipelago:files.region",
      rule: "must be a region that has Spaces",
      got: show(wanted),
      remedy: `there are ${SPACES_REGIONS.join(", ")}`,
      // An unknown region of the stack is its own fault.
      ...(files.region === undefined && { unless: ["archipelago:region"] }),
    },
  ];
}

/** What DigitalOcean's provider reads the key from, and where else it may be. */
const KEY = [
  ["SPACES_ACCESS_KEY_ID", "digitalocean:spacesAccessId", "the ID of a key for Spaces"],
  ["SPACES_SECRET_ACCESS_KEY", "digitalocean:spacesSecretKey", "the secret of that key"],
] as const;

/**
 * Buckets are made by the S3 protocol, which knows no API token.
 *
 * @param configured Pulumi's configuration, by full key.
 */
export function spacesKeyFaults(
  { files, backup, machines }: Pick<Config, "files" | "backup" | "machines">,
  env: Readonly<Record<string, string | undefined>>,
  configured: Readonly<Record<string, string>>,
): Fault[] {
  const wanted = [files.enabled && "files", backup && "backup"].filter(Boolean);
  if (wanted.length === 0 || machines === "simulated") return [];
  return KEY.filter(([variable, key]) => !env[variable] && !configured[key]).map(
    ([variable, , what]) => ({
      path: variable,
      rule: `must hold ${what}, with which archipelago:${wanted.join(" and ")} makes the bucket`,
      remedy: "make one with full access at https://cloud.digitalocean.com/spaces/access_keys",
    }),
  );
}
