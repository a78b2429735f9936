import type { FastifyRequest } from "fastify";

/** URL of this API as the caller reached it. */
export const baseUrl = (request: FastifyRequest) => `${request.protocol}://${request.host}`;
