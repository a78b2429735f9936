import { text } from "../fields";

/** Of services and nodes: it becomes part of names in Docker, DNS and the DigitalOcean account. */
export const NAME = /^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$/;
export const NAME_RULE = "1 to 30 lower-case letters, digits and hyphens, a letter first";

export const HOST_NAME = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$/;

/** A Droplet size. Which ones there are is for DigitalOcean to say. */
export const sizeSlug = (description: string) =>
  text(/^[a-z0-9-]+$/, "a Droplet size slug such as s-2vcpu-4gb", description);

/** The memory of a database node is part of its size's name. */
export const databaseSizeSlug = (description: string) =>
  text(
    /^[a-z0-9_-]+-[1-9][0-9]*gb$/,
    "a database size slug such as db-s-1vcpu-2gb",
    `${description} https://docs.digitalocean.com/products/databases/postgresql/details/pricing/`,
  );
