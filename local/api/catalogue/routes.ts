import type { FastifyInstance } from "fastify";
import { paginate } from "../pagination";
import { openRegionSlugs, regions } from "./regions";
import { sizes, sizeView } from "./sizes";

export function catalogueRoutes(app: FastifyInstance): void {
  app.get("/v2/regions", (request) => paginate(request, "regions", regions));
  app.get("/v2/sizes", (request) =>
    paginate(
      request,
      "sizes",
      sizes.map((size) => sizeView(size, openRegionSlugs)),
    ),
  );
}
