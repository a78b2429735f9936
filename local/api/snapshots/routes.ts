import type { FastifyInstance } from "fastify";
import type { Context } from "../context";
import { notFound } from "../errors";
import { paginate, type Query } from "../pagination";
import { imageSnapshotView, snapshotView } from "./model";

interface SnapshotPath {
  Params: { snapshot: string };
}

export function snapshotRoutes(app: FastifyInstance, { store }: Context): void {
  const findImage = (id: string) => {
    const image = /^\d+$/.test(id) ? store.images.get(Number(id)) : undefined;
    return image?.type === "snapshot" ? image : undefined;
  };

  app.get("/v2/snapshots", (request) => {
    const type = (request.query as Query)["resource_type"];
    const ofDroplets = store.images.filter((image) => image.type === "snapshot");
    return paginate(request, "snapshots", [
      ...(type === "volume" ? [] : ofDroplets.map(imageSnapshotView)),
      ...(type === "droplet" ? [] : store.volumeSnapshots.all().map(snapshotView)),
    ]);
  });

  for (const path of ["/v2/snapshots/:snapshot", "/v2/volumes/snapshots/:snapshot"]) {
    app.get<SnapshotPath>(path, ({ params }) => {
      const ofVolume = store.volumeSnapshots.get(params.snapshot);
      if (ofVolume) return { snapshot: snapshotView(ofVolume) };
      const ofDroplet = findImage(params.snapshot);
      if (!ofDroplet) throw notFound();
      return { snapshot: imageSnapshotView(ofDroplet) };
    });

    app.delete<SnapshotPath>(path, (request, reply) => {
      store.transaction(() => {
        const id = request.params.snapshot;
        const ofDroplet = findImage(id);
        if (ofDroplet) store.images.remove(ofDroplet.id);
        else if (store.volumeSnapshots.get(id)) store.volumeSnapshots.remove(id);
        else throw notFound();
      });
      return reply.code(204).send();
    });
  }
}
