import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { actionView } from "../actions/model";
import { findRegion } from "../catalogue/regions";
import type { Context } from "../context";
import { forbidden, notFound, unprocessable } from "../errors";
import { numericId, parse } from "../input";
import { paginate, type Query } from "../pagination";
import { sameTag } from "../tags/model";
import { type AnyImage, baseImages, findImage, imageView } from "./model";

interface ImagePath {
  Params: { image: string };
}

const change = z.object({
  name: z.string().min(1).optional(),
  distribution: z.string().optional(),
  description: z.string().optional(),
});

const imageAction = z.object({
  type: z.enum(["convert", "transfer"], { error: "is not a valid action" }),
  region: z.string().optional(),
});

export function imageRoutes(app: FastifyInstance, context: Context): void {
  const { store } = context;

  const find = (idOrSlug: string): AnyImage => {
    const image = findImage(store, idOrSlug);
    if (!image) throw notFound();
    return image;
  };
  const findOwn = (idOrSlug: string) => {
    const image = find(idOrSlug);
    if (!image.own) throw forbidden("You do not have access for the attempted action.");
    return image.own;
  };

  app.get("/v2/images", (request) => {
    const query = request.query as Query;
    const own = store.images.all().map((record): AnyImage => ({ own: record }));
    const base = baseImages.map((image): AnyImage => ({ base: image }));
    const tag = query["tag_name"];
    const all = ([] as AnyImage[]).concat(
      query["private"] === "true" || tag ? [] : base,
      query["type"] ? [] : own,
    );
    // There are no one-click applications here.
    const images = query["type"] === "application" ? [] : all;
    return paginate(
      request,
      "images",
      images
        .filter((image) => !tag || image.own?.tags.some((each) => sameTag(each, tag)))
        .map(imageView),
    );
  });

  app.get<ImagePath>("/v2/images/:image", ({ params }) => ({
    image: imageView(find(params.image)),
  }));

  app.put<ImagePath>("/v2/images/:image", ({ params, body }) => {
    const changes = parse(change, body);
    return store.transaction(() => {
      const { id } = findOwn(params.image);
      store.images.patch(
        id,
        Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined)),
      );
      return { image: imageView(find(String(id))) };
    });
  });

  app.delete<ImagePath>("/v2/images/:image", (request, reply) => {
    store.transaction(() => store.images.remove(findOwn(request.params.image).id));
    return reply.code(204).send();
  });

  app.get<ImagePath>("/v2/images/:image/actions", (request) => {
    const own = findOwn(request.params.image);
    const actions = store.actions.filter((action) => action.imageId === own.id);
    return paginate(request, "actions", actions.reverse().map(actionView));
  });

  app.get<{ Params: { image: string; action: string } }>(
    "/v2/images/:image/actions/:action",
    ({ params }) => {
      const own = findOwn(params.image);
      const action = store.actions.get(numericId(params.action));
      if (action?.imageId !== own.id) throw notFound();
      return actionView(action);
    },
  );

  app.post<ImagePath>("/v2/images/:image/actions", (request, reply) => {
    const input = parse(imageAction, request.body);
    const record = store.transaction(() => {
      const own = findOwn(request.params.image);
      if (input.type === "transfer") {
        if (!input.region || !findRegion(input.region)?.available)
          throw unprocessable("Region is not valid.");
        store.images.patch(own.id, { regions: [...new Set([...own.regions, input.region])] });
      } else store.images.patch(own.id, { type: "snapshot" });
      const at = context.now().toISOString();
      const action = {
        id: store.nextId("action"),
        status: "completed" as const,
        type: input.type,
        startedAt: at,
        completedAt: at,
        resourceId: own.id,
        resourceType: "image",
        region: input.region ?? own.regions[0] ?? "nyc3",
        imageId: own.id,
      };
      store.actions.put(action.id, action);
      return action;
    });
    return reply.code(201).send(actionView(record));
  });
}
