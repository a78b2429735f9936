import { z } from "zod";
import { choice, mapping, text } from "../fields";

const kind = (value: unknown) =>
  typeof value === "string" ? { kind: value } : withKind(value as Record<string, unknown> | null);

/** A server says enough: it is not DigitalOcean's. */
function withKind(value: Record<string, unknown> | null): unknown {
  if (typeof value !== "object" || value === null || "kind" in value) return value;
  return "server" in value ? { kind: "other", ...value } : value;
}

/** The kind by itself is enough: `registry: digitalocean`. */
export const registry = z
  .preprocess(
    kind,
    mapping(
      {
        kind: choice(
          ["digitalocean", "other", "none"],
          "`digitalocean`: a Container Registry of the account, made by this stack. `other`: the one that `server` names. `none`, the default: images are pulled without a login, and what a service says to `build` is built on each node.",
        ).optional(),
        name: text(
          /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
          "1 to 63 lower-case letters, digits and hyphens",
          "Name of DigitalOcean's registry, unique in the world. Default: archipelago- and the stack's name.",
        ).optional(),
        tier: choice(
          ["starter", "basic", "professional"],
          "Subscription of DigitalOcean's registry, for the whole account. https://docs.digitalocean.com/products/container-registry/details/pricing/",
        ).default("basic"),
        server: text(
          /^[a-z0-9.-]+(:[0-9]+)?(\/[a-z0-9._/-]+)?$/,
          "a registry such as ghcr.io/acme, without https://",
          "The registry, with the path that images are pushed to.",
        ).optional(),
        username: text(/^\S+$/, "a user name", "Who logs in.").optional(),
        password: z
          .string({ error: "must be text" })
          .min(1, { error: "must not be empty" })
          .meta({
            type: ["string", "object"],
            description: "Password or token. A secret: `pulumi config set --secret --path`.",
          })
          .optional(),
      },
      "Where images of `build` are pushed, so that every node pulls the same ones.",
    ),
  )
  .meta({ type: ["string", "object"] });
