import { randomUUID } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Context } from "../context";
import { badRequest, conflict, notFound, unprocessable } from "../errors";
import { parse, tagList } from "../input";
import { paginate } from "../pagination";
import { requireTags, withoutTag, withTag } from "../tags/model";
import { type FirewallRecord, firewallView } from "./model";
import { inboundRules, outboundRules, ruleInput, sameRule } from "./rules";

interface FirewallPath {
  Params: { firewall: string };
}

/** https://docs.digitalocean.com/products/networking/firewalls/details/limits/ */
const maxRules = 50;
const maxDroplets = 10;
const maxTags = 5;

const whole = z.object({
  name: z
    .string({ error: "name is required" })
    .regex(
      /^[a-zA-Z0-9][a-zA-Z0-9.-]*$/,
      "name must start with a letter or number and only contain letters, numbers, periods and dashes",
    )
    .max(255),
  ...ruleInput,
  droplet_ids: z.array(z.number().int()).nullish(),
  tags: tagList,
});
const rulesOnly = z.object(ruleInput);
const dropletsOnly = z.object({ droplet_ids: z.array(z.number().int()) });
const tagsOnly = z.object({ tags: z.array(z.string()) });

export function firewallRoutes(app: FastifyInstance, context: Context): void {
  const { store, network, now } = context;

  const find = (id: string): FirewallRecord => {
    const firewall = store.firewalls.get(id);
    if (!firewall) throw notFound();
    return firewall;
  };

  const save = (firewall: FirewallRecord): FirewallRecord => {
    if (firewall.inbound.length + firewall.outbound.length > maxRules)
      throw unprocessable(`a firewall can have at most ${maxRules} rules`);
    if (firewall.dropletIds.length > maxDroplets)
      throw unprocessable(`a firewall can have at most ${maxDroplets} droplets: use a tag`);
    if (firewall.tags.length > maxTags)
      throw unprocessable(`a firewall can have at most ${maxTags} tags`);
    for (const id of firewall.dropletIds)
      if (!store.droplets.get(id)) throw unprocessable(`droplet ${id} does not exist`);
    store.firewalls.put(firewall.id, firewall);
    return firewall;
  };

  const fromBody = (body: unknown, before?: FirewallRecord): FirewallRecord => {
    const input = parse(whole, body);
    const inbound = inboundRules(store, input);
    const outbound = outboundRules(store, input);
    if (inbound.length + outbound.length === 0)
      throw badRequest("must specify at least one rule for a firewall");
    if (store.firewalls.find((each) => each.name === input.name && each.id !== before?.id))
      throw conflict("duplicate name");
    return save({
      id: before?.id ?? randomUUID(),
      name: input.name,
      inbound,
      outbound,
      dropletIds: [...new Set(input.droplet_ids ?? [])],
      tags: requireTags(store, input.tags ?? []),
      createdAt: before?.createdAt ?? now().toISOString(),
    });
  };

  app.get("/v2/firewalls", (request) =>
    paginate(request, "firewalls", store.firewalls.all().map(firewallView)),
  );

  app.post("/v2/firewalls", async (request, reply) => {
    const firewall = store.transaction(() => fromBody(request.body));
    await network.sync();
    return reply.code(202).send({ firewall: firewallView(firewall) });
  });

  app.get<FirewallPath>("/v2/firewalls/:firewall", ({ params }) => ({
    firewall: firewallView(find(params.firewall)),
  }));

  app.put<FirewallPath>("/v2/firewalls/:firewall", async ({ params, body }) => {
    const firewall = store.transaction(() => fromBody(body, find(params.firewall)));
    await network.sync();
    return { firewall: firewallView(firewall) };
  });

  app.delete<FirewallPath>("/v2/firewalls/:firewall", async (request, reply) => {
    store.transaction(() => store.firewalls.remove(find(request.params.firewall).id));
    await network.sync();
    return reply.code(204).send();
  });

  /** POST adds and DELETE removes parts of a Firewall. */
  const part = (
    name: string,
    add: (firewall: FirewallRecord, body: unknown) => FirewallRecord,
    remove: (firewall: FirewallRecord, body: unknown) => FirewallRecord,
  ) => {
    for (const [method, change] of [
      ["POST", add],
      ["DELETE", remove],
    ] as const)
      app.route<FirewallPath>({
        method,
        url: `/v2/firewalls/:firewall/${name}`,
        handler: async (request, reply) => {
          store.transaction(() => save(change(find(request.params.firewall), request.body)));
          await network.sync();
          return reply.code(204).send();
        },
      });
  };

  part(
    "droplets",
    (firewall, body) => {
      const { droplet_ids: ids } = parse(dropletsOnly, body);
      return { ...firewall, dropletIds: [...new Set([...firewall.dropletIds, ...ids])] };
    },
    (firewall, body) => {
      const { droplet_ids: ids } = parse(dropletsOnly, body);
      return { ...firewall, dropletIds: firewall.dropletIds.filter((id) => !ids.includes(id)) };
    },
  );
  part(
    "tags",
    (firewall, body) => {
      const tags = requireTags(store, parse(tagsOnly, body).tags);
      return {
        ...firewall,
        tags: tags.reduce((all, tag) => withTag({ tags: all }, tag), [...firewall.tags]),
      };
    },
    (firewall, body) => {
      const { tags } = parse(tagsOnly, body);
      return {
        ...firewall,
        tags: tags.reduce((all, tag) => withoutTag({ tags: all }, tag), [...firewall.tags]),
      };
    },
  );
  part(
    "rules",
    (firewall, body) => {
      const input = parse(rulesOnly, body);
      return {
        ...firewall,
        inbound: [...firewall.inbound, ...inboundRules(store, input)],
        outbound: [...firewall.outbound, ...outboundRules(store, input)],
      };
    },
    (firewall, body) => {
      const input = parse(rulesOnly, body);
      const inbound = inboundRules(store, input);
      const outbound = outboundRules(store, input);
      return {
        ...firewall,
        inbound: firewall.inbound.filter((rule) => !inbound.some((each) => sameRule(each, rule))),
        outbound: firewall.outbound.filter(
          (rule) => !outbound.some((each) => sameRule(each, rule)),
        ),
      };
    },
  );
}
