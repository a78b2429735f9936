import { z } from "zod";
import { isAddressOrCidr } from "../../components/edge/faults";
import { choice, integer, list, mapping, text } from "../fields";

/** What the edge proxy does for one service: keys of the service itself. */
export const edgeOptions = {
  balance: choice(
    ["least-connections", "round-robin", "source"],
    "Which task of a service with `routes` gets a request. `least-connections`: the one with the fewest open ones; a slow task gets less. `round-robin`: each in turn. `source`: a client's address always the same one, until tasks come or go.",
  ).default("least-connections"),
  stickyCookie: text(
    /^[A-Za-z][A-Za-z0-9_-]{0,63}$/,
    "a letter, then letters, digits, hyphens and underscores (64 at most)",
    "Name of a cookie that leads a browser back to the task that answered it first, by whichever node it comes in. A task that keeps state in memory loses it all the same when it is replaced. Default: none.",
  ).optional(),
  cachePaths: list(
    text(/^\/[A-Za-z0-9._~/-]*$/, "a path prefix such as /assets", "Path prefix, whole segments."),
    "Answers that the edge may keep in memory: only of GET, only what the app marks with `Cache-Control: max-age` or `s-maxage` and neither `private` nor a cookie. Old copies are served while no task is up, for up to a day, unless the app says `must-revalidate`.",
  ).default([]),
  rateLimit: mapping(
    {
      requests: integer(1, 1_000_000, "Requests that one client may make; more get 429."),
      seconds: integer(1, 3600, "In any period of this length.").default(10),
    },
    "How much one client (an IPv4 address, or an IPv6 /64) may ask of this service, counted by each node for itself. Default: no limit.",
  ).optional(),
};

const address = z
  .string({ error: "must be an IP address or a CIDR" })
  .refine(isAddressOrCidr, { error: "must be an IP address or a CIDR such as 203.0.113.0/24" });

export const edge = mapping(
  {
    deny: list(
      address.meta({ description: "IPv4 or IPv6, with or without a prefix length." }),
      "Clients that get 403, whatever they ask for. A change is a reload: no connection is lost.",
    ).default([]),
    maxBodyMib: integer(
      1,
      10_240,
      "Largest request body. Larger ones that say so get 413 before the app hears of them.",
    ).default(64),
  },
  "The edge proxy, on every node that takes requests.",
);
