import Fastify, { type FastifyInstance, type FastifyReply } from "fastify";
import { netmask, parseCidr } from "./addresses";
import type { DropletRecord } from "./droplets/model";
import type { Store } from "./store";

/** What DigitalOcean hands to Droplets as resolvers; https://docs.digitalocean.com/reference/api/metadata/ */
const resolvers = ["67.207.67.2", "67.207.67.3"];

/** DigitalOcean's metadata of one Droplet, as one document; https://docs.digitalocean.com/reference/api/metadata/ */
export function metadataOf(store: Store, droplet: DropletRecord) {
  const range = parseCidr(store.vpcs.get(droplet.vpcId)?.ipRange ?? "10.0.0.0/20");
  const mask = netmask(range?.prefix ?? 20);
  const gateway = (store.vpcs.get(droplet.vpcId)?.ipRange ?? "").replace(/\d+\/\d+$/, "1");
  const reserved = store.reservedIps.find((each) => each.dropletId === droplet.id);
  const reservedIp = {
    ipv4: { active: reserved !== undefined, ...(reserved && { ip_address: reserved.ip }) },
  };
  const mac = (kind: number) =>
    `02:d0:${kind.toString(16).padStart(2, "0")}:${droplet.id
      .toString(16)
      .slice(-6)
      .padStart(6, "0")
      .replace(/..(?!$)/g, "$&:")}`;
  return {
    droplet_id: droplet.id,
    hostname: droplet.name,
    user_data: droplet.userData ?? "",
    vendor_data: "",
    public_keys: droplet.sshPublicKeys,
    auth_key: "",
    region: droplet.region,
    interfaces: {
      private: [
        {
          ipv4: { ip_address: droplet.privateIp, netmask: mask, gateway },
          mac: mac(1),
          type: "private",
        },
      ],
      ...(droplet.publicIp && {
        public: [
          {
            ipv4: {
              ip_address: droplet.publicIp,
              netmask: "255.255.0.0",
              gateway: droplet.publicIp.replace(/\d+\.\d+$/, "0.1"),
            },
            // Where traffic to a Reserved IP arrives: here, the private address.
            anchor_ipv4: { ip_address: droplet.privateIp, netmask: mask, gateway },
            mac: mac(0),
            type: "public",
          },
        ],
      }),
    },
    reserved_ip: reservedIp,
    floating_ip: reservedIp,
    dns: { nameservers: resolvers },
    features: { dhcp_enabled: false },
    tags: droplet.tags,
  };
}

type Tree = string | { readonly [name: string]: Tree };

/** The same as a tree of texts, in the older names that the plain paths have. */
function treeOf(document: ReturnType<typeof metadataOf>): Tree {
  const list = (values: readonly string[]) => values.join("\n");
  const ipv4 = (value: { ip_address: string; netmask: string; gateway: string }): Tree => ({
    address: value.ip_address,
    netmask: value.netmask,
    gateway: value.gateway,
  });
  const [privateInterface] = document.interfaces.private;
  const publicInterface = document.interfaces.public?.[0];
  const reserved: Tree = {
    ipv4: {
      active: String(document.reserved_ip.ipv4.active),
      ...(document.reserved_ip.ipv4.ip_address && {
        ip_address: document.reserved_ip.ipv4.ip_address,
      }),
    },
  };
  return {
    id: String(document.droplet_id),
    hostname: document.hostname,
    "user-data": document.user_data,
    "vendor-data": document.vendor_data,
    "public-keys": list(document.public_keys),
    region: document.region,
    interfaces: {
      ...(privateInterface && {
        private: {
          "0": {
            ipv4: ipv4(privateInterface.ipv4),
            mac: privateInterface.mac,
            type: privateInterface.type,
          },
        },
      }),
      ...(publicInterface && {
        public: {
          "0": {
            ipv4: ipv4(publicInterface.ipv4),
            anchor_ipv4: ipv4(publicInterface.anchor_ipv4),
            mac: publicInterface.mac,
            type: publicInterface.type,
          },
        },
      }),
    },
    reserved_ip: reserved,
    floating_ip: reserved,
    dns: { nameservers: list(document.dns.nameservers) },
    tags: list(document.tags),
  };
}

/** @returns the text of a leaf, or the names in a branch, one a line and branches with a slash. */
function walk(tree: Tree, path: readonly string[]): string | undefined {
  const [name, ...rest] = path;
  if (name !== undefined) {
    const child = typeof tree === "string" ? undefined : tree[name];
    return child === undefined ? undefined : walk(child, rest);
  }
  if (typeof tree === "string") return tree;
  return Object.entries(tree)
    .map(([key, value]) => (typeof value === "string" ? key : `${key}/`))
    .join("\n");
}

/**
 * What a caller may know: about itself alone, and nothing when it is no Droplet.
 *
 * @param address where the connection comes from; a Droplet's is its private address.
 * @param path below `/metadata/v1/`.
 */
export function metadataText(store: Store, address: string, path: string): string | undefined {
  const droplet = dropletAt(store, address);
  const parts = path.split("/").filter((part) => part !== "");
  return droplet && walk(treeOf(metadataOf(store, droplet)), parts);
}

export function dropletAt(store: Store, address: string): DropletRecord | undefined {
  const ip = address.replace(/^::ffff:/, "");
  return store.droplets.find((droplet) => droplet.privateIp === ip);
}

/** The server behind 169.254.169.254. */
export function createMetadata({ store }: { readonly store: Store }): FastifyInstance {
  const app = Fastify({ logger: false, forceCloseConnections: true });
  const nothing = (reply: FastifyReply) => reply.code(404).type("text/plain").send("not found");

  app.get("/metadata/v1.json", (request, reply) => {
    const droplet = dropletAt(store, request.ip);
    return droplet ? metadataOf(store, droplet) : nothing(reply);
  });

  app.get<{ Params: { "*": string } }>("/metadata/v1/*", (request, reply) => {
    const text = metadataText(store, request.ip, request.params["*"]);
    return text === undefined ? nothing(reply) : reply.type("text/plain").send(text);
  });

  app.get("/metadata/v1", (_request, reply) => reply.redirect("/metadata/v1/", 301));
  return app;
}
