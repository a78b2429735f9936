import { randomUUID } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Context } from "../context";
import { notFound } from "../errors";
import { parse } from "../input";
import { notificationsInput } from "../notifications";
import { paginate } from "../pagination";
import {
  alertView,
  checkView,
  observed,
  stateView,
  type UptimeAlertRecord,
  type UptimeCheckRecord,
  uptimeRegions,
} from "./model";
import { probe } from "./probe";

interface CheckPath {
  Params: { check: string };
}
interface AlertPath {
  Params: { check: string; alert: string };
}

const isTarget = (text: string) =>
  URL.canParse(/^[a-z]+:\/\//.test(text) ? text : `http://${text}`);

const checkInput = z.object({
  name: z.string({ error: "name is required" }).min(1, "name is required"),
  type: z.enum(["ping", "http", "https"]),
  target: z.string({ error: "target is required" }).refine(isTarget, "target is not a valid URL"),
  regions: z
    .array(z.enum(uptimeRegions))
    .nullish()
    .transform((regions) => (regions?.length ? regions : (["us_east", "eu_west"] as const))),
  enabled: z.boolean().nullish(),
});

const alertInput = z
  .object({
    name: z.string({ error: "name is required" }).min(1, "name is required"),
    type: z.enum(["latency", "down", "down_global", "ssl_expiry"]),
    threshold: z.number().int().min(0).nullish(),
    comparison: z.enum(["greater_than", "less_than", ""]).nullish(),
    period: z.enum(["2m", "3m", "5m", "10m", "15m", "30m", "1h", ""]).nullish(),
    notifications: notificationsInput,
  })
  .refine(
    ({ type, threshold }) =>
      type.startsWith("down") || (threshold !== null && threshold !== undefined),
    "threshold is required for the types latency and ssl_expiry",
  )
  .refine(({ type, period }) => type === "ssl_expiry" || Boolean(period), "period is required")
  .transform((input): Omit<UptimeAlertRecord, "id"> => ({
    name: input.name,
    type: input.type,
    threshold: input.threshold ?? undefined,
    comparison: input.comparison || undefined,
    period: input.period || undefined,
    notifications: input.notifications,
  }));

/** https://docs.digitalocean.com/reference/api/digitalocean/#tag/Uptime */
export function uptimeRoutes(app: FastifyInstance, context: Context): void {
  const { store, now } = context;
  const path = "/v2/uptime/checks";

  const find = (id: string): UptimeCheckRecord => {
    const check = store.uptimeChecks.get(id);
    if (!check) throw notFound();
    return check;
  };
  const findAlert = ({ check, alert: id }: AlertPath["Params"]): UptimeAlertRecord => {
    const alert = find(check).alerts.find((each) => each.id === id);
    if (!alert) throw notFound();
    return alert;
  };

  app.get(path, (request) => paginate(request, "checks", store.uptimeChecks.all().map(checkView)));

  app.post(path, (request, reply) => {
    const input = parse(checkInput, request.body);
    const check: UptimeCheckRecord = {
      ...input,
      id: randomUUID(),
      enabled: input.enabled ?? true,
      alerts: [],
      state: undefined,
      lastOutage: undefined,
      createdAt: now().toISOString(),
    };
    store.transaction(() => store.uptimeChecks.put(check.id, check));
    return reply.code(201).send({ check: checkView(check) });
  });

  app.get<CheckPath>(`${path}/:check`, ({ params }) => ({ check: checkView(find(params.check)) }));

  app.put<CheckPath>(`${path}/:check`, ({ params, body }) => {
    const input = parse(checkInput, body);
    store.transaction(() => {
      const before = find(params.check);
      const enabled = input.enabled ?? before.enabled;
      store.uptimeChecks.put(before.id, { ...before, ...input, enabled });
    });
    return { check: checkView(find(params.check)) };
  });

  app.delete<CheckPath>(`${path}/:check`, (request, reply) => {
    store.transaction(() => store.uptimeChecks.remove(find(request.params.check).id));
    return reply.code(204).send();
  });

  // DigitalOcean looks once a minute; here it is looked when somebody asks.
  app.get<CheckPath>(`${path}/:check/state`, async ({ params }) => {
    const found = await probe(context, find(params.check));
    const check = store.transaction(() => {
      const after = observed(find(params.check), found, now().toISOString());
      store.uptimeChecks.put(after.id, after);
      return after;
    });
    return { state: stateView(check, now()) };
  });

  const changeAlerts = (
    id: string,
    change: (alerts: readonly UptimeAlertRecord[]) => readonly UptimeAlertRecord[],
  ) => store.transaction(() => store.uptimeChecks.patch(id, { alerts: change(find(id).alerts) }));

  app.get<CheckPath>(`${path}/:check/alerts`, (request) =>
    paginate(request, "alerts", find(request.params.check).alerts.map(alertView)),
  );

  app.post<CheckPath>(`${path}/:check/alerts`, (request, reply) => {
    const alert = { id: randomUUID(), ...parse(alertInput, request.body) };
    changeAlerts(request.params.check, (alerts) => [...alerts, alert]);
    return reply.code(201).send({ alert: alertView(alert) });
  });

  app.get<AlertPath>(`${path}/:check/alerts/:alert`, ({ params }) => ({
    alert: alertView(findAlert(params)),
  }));

  app.put<AlertPath>(`${path}/:check/alerts/:alert`, ({ params, body }) => {
    const alert = { id: findAlert(params).id, ...parse(alertInput, body) };
    changeAlerts(params.check, (alerts) =>
      alerts.map((each) => (each.id === alert.id ? alert : each)),
    );
    return { alert: alertView(alert) };
  });

  app.delete<AlertPath>(`${path}/:check/alerts/:alert`, (request, reply) => {
    const { id } = findAlert(request.params);
    changeAlerts(request.params.check, (alerts) => alerts.filter((each) => each.id !== id));
    return reply.code(204).send();
  });
}
