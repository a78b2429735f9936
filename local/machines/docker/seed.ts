import type { DropletSpec } from "../machines";
import { archive } from "./files";

/** Where cloud-init's NoCloud data source looks, without the leading slash. */
const SEED_DIR = "var/lib/cloud/seed/nocloud";
/** Where the machine image looks for the local authority's certificate, without the leading slash. */
const AUTHORITY_FILE = "usr/local/share/ca-certificates/archipelago-local.crt";

/** cloud-init's view of a Droplet: instance id, host name and keys. JSON is YAML. */
export function metaData(droplet: Pick<DropletSpec, "id" | "name" | "sshPublicKeys">): string {
  return `${JSON.stringify(
    {
      "instance-id": String(droplet.id),
      "local-hostname": droplet.name,
      "public-keys": droplet.sshPublicKeys,
    },
    undefined,
    2,
  )}\n`;
}

/** Archive to unpack at `/` before the first start; only root may read the user data. */
export function seedArchive(
  droplet: Pick<DropletSpec, "id" | "name" | "sshPublicKeys" | "userData" | "trustedCaPem">,
): Promise<Buffer> {
  const { trustedCaPem } = droplet;
  return archive([
    { name: `${SEED_DIR}/meta-data`, content: metaData(droplet), mode: 0o600 },
    { name: `${SEED_DIR}/user-data`, content: droplet.userData ?? "", mode: 0o600 },
    ...(trustedCaPem === undefined ? [] : [{ name: AUTHORITY_FILE, content: trustedCaPem }]),
  ]);
}
