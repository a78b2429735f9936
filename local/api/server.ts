import { randomUUID } from "node:crypto";
import Fastify, { type FastifyError, type FastifyInstance } from "fastify";
import { accountRoutes } from "./account/routes";
import { actionRoutes } from "./actions/routes";
import type { Tokens } from "./auth";
import { autoscaleRoutes } from "./autoscale/routes";
import { catalogueRoutes } from "./catalogue/routes";
import { certificateRoutes } from "./certificates/routes";
import type { Context } from "./context";
import { databaseRoutes } from "./databases/routes";
import { domainRoutes } from "./domains/routes";
import { associatedRoutes } from "./droplets/associated";
import { dropletRoutes } from "./droplets/routes";
import {
  ApiError,
  badRequest,
  notFound,
  serverError,
  tooManyRequests,
  unauthorized,
} from "./errors";
import type { Faults } from "./faults";
import { firewallRoutes } from "./firewalls/routes";
import { imageRoutes } from "./images/routes";
import { loadBalancerRoutes } from "./load-balancers/routes";
import { localRoutes } from "./local";
import { monitoringRoutes } from "./monitoring/routes";
import { natGatewayRoutes } from "./nat-gateways/routes";
import { projectRoutes } from "./projects/routes";
import type { RateLimiter } from "./rate-limit";
import { registryRoutes } from "./registry/routes";
import { reservedIpRoutes } from "./reserved-ips/routes";
import { snapshotRoutes } from "./snapshots/routes";
import { spacesKeyRoutes } from "./spaces/routes";
import { sshKeyRoutes } from "./ssh-keys/routes";
import { tagRoutes } from "./tags/routes";
import { uptimeRoutes } from "./uptime/routes";
import { volumeRoutes } from "./volumes/routes";
import { vpcPeeringRoutes } from "./vpc-peerings/routes";
import { vpcRoutes } from "./vpcs/routes";

/** What anybody on this machine may ask: neither says anything of the account. */
const openPaths = ["/my-ip", "/ca"];

const megabyte = 1024 * 1024;

/** The HTTP side of the local DigitalOcean: who may ask, how often, and how errors look. */
export function createServer(
  context: Context,
  guards: { readonly tokens: Tokens; readonly limiter: RateLimiter; readonly faults: Faults },
): FastifyInstance {
  const { tokens, limiter, faults } = guards;
  const app = Fastify({
    logger: false,
    bodyLimit: megabyte,
    genReqId: () => randomUUID(),
    // A closing server must not wait for clients that keep their connections.
    forceCloseConnections: true,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 512 },
  });

  // godo sends `content-type: application/json` with empty bodies, too, and bodies with DELETE.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => {
    try {
      done(null, body === "" ? undefined : JSON.parse(String(body)));
    } catch {
      done(badRequest("There was a problem parsing the request body: it is not valid JSON."));
    }
  });

  app.addHook("onRequest", async (request, reply) => {
    reply.header("x-request-id", request.id);
    if (openPaths.includes(request.url.split("?")[0] ?? "")) return;
    const known = tokens.accept(request.headers.authorization);
    if (known && request.url.startsWith("/_local/")) return;
    // Strangers do not use up the account's requests.
    const verdict = known ? limiter.take() : limiter.peek();
    reply.headers({
      "ratelimit-limit": verdict.limit,
      "ratelimit-remaining": verdict.remaining,
      "ratelimit-reset": verdict.reset,
    });
    if (!known) throw unauthorized();
    if (!verdict.allowed) {
      reply.header("retry-after", verdict.retryAfter);
      throw tooManyRequests();
    }
    const fault = faults.strike("before", request.method, request.url);
    if (fault?.drop) {
      reply.hijack();
      request.raw.socket.destroy();
    } else if (fault) throw faultError(fault.status);
  });

  app.addHook("onSend", async (request, reply, payload) => {
    if (request.url.startsWith("/_local/")) return payload;
    const fault = faults.strike("after", request.method, request.url);
    if (fault?.drop) {
      request.raw.socket.destroy();
      return payload;
    }
    if (!fault) return payload;
    const { status, id, message } = faultError(fault.status);
    reply.code(status).type("application/json; charset=utf-8");
    return JSON.stringify({ id, message, request_id: request.id });
  });

  app.setNotFoundHandler(() => {
    throw notFound();
  });

  app.setErrorHandler((error: FastifyError | ApiError, request, reply) => {
    const known = toApiError(error);
    if (known.status >= 500)
      context.log(`${request.method} ${request.url} failed: ${error.stack ?? error.message}`);
    return reply
      .code(known.status)
      .send({ id: known.id, message: known.message, request_id: request.id });
  });

  accountRoutes(app, context);
  actionRoutes(app, context);
  autoscaleRoutes(app, context);
  catalogueRoutes(app);
  certificateRoutes(app, context);
  databaseRoutes(app, context);
  domainRoutes(app, context);
  dropletRoutes(app, context);
  associatedRoutes(app, context);
  firewallRoutes(app, context);
  imageRoutes(app, context);
  loadBalancerRoutes(app, context);
  monitoringRoutes(app, context);
  natGatewayRoutes(app, context);
  projectRoutes(app, context);
  registryRoutes(app, context);
  reservedIpRoutes(app, context);
  snapshotRoutes(app, context);
  spacesKeyRoutes(app, context);
  sshKeyRoutes(app, context);
  tagRoutes(app, context);
  uptimeRoutes(app, context);
  volumeRoutes(app, context);
  vpcPeeringRoutes(app, context);
  vpcRoutes(app, context);
  localRoutes(app, context, guards);
  return app;
}

function faultError(status = 500): ApiError {
  return status === 429
    ? tooManyRequests()
    : new ApiError(status, "server_error", "Injected fault");
}

function toApiError(error: FastifyError | ApiError): ApiError {
  if (error instanceof ApiError) return error;
  if (error.statusCode === 413) return new ApiError(413, "request_too_large", error.message);
  if (error.statusCode !== undefined && error.statusCode < 500) return badRequest(error.message);
  return serverError(`Unexpected server-side error: ${error.message}`);
}
