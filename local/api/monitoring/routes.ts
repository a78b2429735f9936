import { randomUUID } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Context } from "../context";
import { notFound } from "../errors";
import { parse } from "../input";
import { notificationsInput } from "../notifications";
import { paginate } from "../pagination";
import { type AlertPolicyRecord, alertTypes, policyView } from "./model";

interface PolicyPath {
  Params: { policy: string };
}

const policyInput = z.object({
  type: z
    .string({ error: "type is required" })
    .refine((type) => alertTypes.includes(type), "type is not a known alert type"),
  description: z.string({ error: "description is required" }).min(1, "description is required"),
  compare: z.enum(["GreaterThan", "LessThan"]),
  value: z.number({ error: "value is required" }).transform(Math.fround),
  window: z.enum(["5m", "10m", "30m", "1h"]),
  enabled: z.boolean().default(true),
  entities: z
    .array(z.string())
    .nullish()
    .transform((ids) => ids ?? []),
  tags: z
    .array(z.string())
    .nullish()
    .transform((tags) => tags ?? []),
  alerts: notificationsInput.refine(
    ({ email, slack }) => email.length + slack.length > 0,
    "alerts must have an email address or a Slack channel",
  ),
});

/** https://docs.digitalocean.com/reference/api/digitalocean/#tag/Monitoring */
export function monitoringRoutes(app: FastifyInstance, { store }: Context): void {
  const path = "/v2/monitoring/alerts";

  const find = (id: string): AlertPolicyRecord => {
    const policy = store.alertPolicies.get(id);
    if (!policy) throw notFound();
    return policy;
  };
  const put = (id: string, body: unknown) => {
    const policy = { id, ...parse(policyInput, body) };
    store.transaction(() => store.alertPolicies.put(id, policy));
    return { policy: policyView(policy) };
  };

  app.get(path, (request) =>
    paginate(request, "policies", store.alertPolicies.all().map(policyView)),
  );

  app.post(path, ({ body }) => put(randomUUID(), body));

  app.get<PolicyPath>(`${path}/:policy`, ({ params }) => ({
    policy: policyView(find(params.policy)),
  }));

  app.put<PolicyPath>(`${path}/:policy`, ({ params, body }) => put(find(params.policy).id, body));

  app.delete<PolicyPath>(`${path}/:policy`, (request, reply) => {
    store.transaction(() => store.alertPolicies.remove(find(request.params.policy).id));
    return reply.code(204).send();
  });
}
