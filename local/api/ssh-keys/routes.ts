import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Context } from "../context";
import { notFound, unprocessable } from "../errors";
import { parse } from "../input";
import { paginate } from "../pagination";
import { findSshKey, fingerprintOf, sshKeyView } from "./model";

interface KeyPath {
  Params: { key: string };
}

const creation = z.object({
  name: z.string({ error: "Name can't be blank" }).min(1, "Name can't be blank"),
  public_key: z.string({ error: "Key can't be blank" }).min(1, "Key can't be blank"),
});
const change = z.object({ name: z.string().min(1, "Name can't be blank") });

export function sshKeyRoutes(app: FastifyInstance, { store }: Context): void {
  const find = (idOrFingerprint: string) => {
    const key = findSshKey(store, idOrFingerprint);
    if (!key) throw notFound();
    return key;
  };

  app.get("/v2/account/keys", (request) =>
    paginate(request, "ssh_keys", store.sshKeys.all().map(sshKeyView)),
  );

  app.post("/v2/account/keys", (request, reply) => {
    const input = parse(creation, request.body);
    const fingerprint = fingerprintOf(input.public_key);
    if (!fingerprint)
      throw unprocessable(
        "Key invalid, key should be of the format `ssh-rsa AAAA... comment` or another OpenSSH key type",
      );
    const key = store.transaction(() => {
      if (findSshKey(store, fingerprint))
        throw unprocessable("SSH Key is already in use on your account");
      const record = {
        id: store.nextId("sshKey"),
        name: input.name,
        publicKey: input.public_key,
        fingerprint,
      };
      store.sshKeys.put(record.id, record);
      return record;
    });
    return reply.code(201).send({ ssh_key: sshKeyView(key) });
  });

  app.get<KeyPath>("/v2/account/keys/:key", ({ params }) => ({
    ssh_key: sshKeyView(find(params.key)),
  }));

  app.put<KeyPath>("/v2/account/keys/:key", ({ params, body }) => {
    const { name } = parse(change, body);
    return store.transaction(() => {
      const key = { ...find(params.key), name };
      store.sshKeys.put(key.id, key);
      return { ssh_key: sshKeyView(key) };
    });
  });

  app.delete<KeyPath>("/v2/account/keys/:key", (request, reply) => {
    store.transaction(() => store.sshKeys.remove(find(request.params.key).id));
    return reply.code(204).send();
  });
}
