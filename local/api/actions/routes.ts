import type { FastifyInstance } from "fastify";
import type { Context } from "../context";
import { notFound } from "../errors";
import { numericId } from "../input";
import { paginate } from "../pagination";
import { actionView } from "./model";

export function actionRoutes(app: FastifyInstance, { store }: Context): void {
  app.get("/v2/actions", (request) =>
    paginate(request, "actions", store.actions.all().reverse().map(actionView)),
  );

  app.get<{ Params: { action: string } }>("/v2/actions/:action", ({ params }) => {
    const action = store.actions.get(numericId(params.action));
    if (!action) throw notFound();
    return { action: actionView(action) };
  });
}
