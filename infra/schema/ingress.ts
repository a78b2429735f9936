import { integer, mapping, text } from "../fields";
import { z } from "zod";

/** https://docs.digitalocean.com/products/networking/load-balancers/details/limits/ */
const MOST_BALANCER_NODES = 100;

/** The cookie's name by itself is enough: `stickyCookie: session`. */
const stickyCookie = z
  .preprocess(
    (value) => (typeof value === "string" ? { name: value } : value),
    mapping(
      {
        name: text(
          /^[A-Za-z0-9_-]{2,40}$/,
          "2 to 40 letters, digits, hyphens and underscores",
          "Name of the cookie, which the Load Balancer sets and the app never sees.",
        ),
        ttlSeconds: integer(1, 34_650, "How long it lasts.").default(3600),
      },
      "Send a client to the same node each time. It keeps load from spreading, and does not outlive a node: tasks that share their state need it not.",
    ),
  )
  .meta({ type: ["string", "object"] });

export const loadBalancer = mapping(
  {
    nodes: integer(
      1,
      MOST_BALANCER_NODES,
      "Nodes of the Load Balancer; each takes up to 10,000 requests a second. Default: 1, in `ha` 2.",
    ).optional(),
    stickyCookie: stickyCookie.optional(),
    idleTimeoutSeconds: integer(
      30,
      600,
      "How long a connection may be idle. Longer than the longest answer takes.",
    ).default(60),
  },
  "The Load Balancer before the nodes. It ends TLS for `domain`, with a certificate from Let's Encrypt that DigitalOcean renews.",
);

export const floatingIp = mapping(
  {
    existing: text(
      /^\d+\.\d+\.\d+\.\d+$/,
      "an IPv4 address",
      "A Reserved IP of the account to use instead of a new one. It is never deleted.",
    ).optional(),
  },
  "The address of the app, with `ingress: floating-ip`.",
);
