import type { CheckFailure } from "../framework/check";
import type { ResourceType } from "../framework/provider";
import { string } from "../framework/schema";
import { members, text, type Values } from "../framework/values";
import type { DockerClient } from "./client";
import { found } from "./engine-error";
import { labelList, labelMap, labelSet } from "./labels";

const isBase64 = (value: unknown): boolean =>
  typeof value !== "string" || /^[A-Za-z0-9+/]*={0,2}$/.test(value);

const notBase64 = (inputs: Values): CheckFailure[] =>
  isBase64(inputs.data) ? [] : [{ property: "data", reason: "data must be base64-encoded" }];

/** A swarm secret. Its data cannot be read back, so drift of the data is not seen. */
export const secret: ResourceType<DockerClient> = {
  inputs: {
    name: string({ replace: true }),
    data: string({ required: true, replace: true, secret: true }),
    labels: labelSet({ replace: true }),
  },
  outputs: [],
  autoname: true,
  validate: notBase64,
  async create(client, inputs) {
    const engine = await client.engine();
    const made = (await engine.createSecret({
      Name: text(inputs.name),
      Labels: labelMap(inputs.labels),
      Data: text(inputs.data),
    })) as unknown as { id?: string; ID?: string };
    return { id: made.id ?? made.ID ?? "", state: {} };
  },
  async read(client, id) {
    const engine = await client.engine();
    const there = await found(engine.getSecret(id).inspect());
    return there && { id, state: { name: text(members(members(there).Spec).Name) } };
  },
  async delete(client, id) {
    await found((await client.engine()).getSecret(id).remove());
  },
};

/** A swarm config, given base64-encoded (`data`) or plain (`dataRaw`). */
export const serviceConfig: ResourceType<DockerClient> = {
  inputs: {
    name: string({ replace: true }),
    data: string({ replace: true }),
    dataRaw: string({ replace: true }),
    labels: labelSet({ replace: true }),
  },
  outputs: [],
  autoname: true,
  validate: (inputs) =>
    (inputs.data === undefined) === (inputs.dataRaw === undefined)
      ? [{ property: "data", reason: "exactly one of data and dataRaw must be given" }]
      : notBase64(inputs),
  async create(client, inputs) {
    const engine = await client.engine();
    const data = inputs.data ?? Buffer.from(text(inputs.dataRaw)).toString("base64");
    const made = (await engine.createConfig({
      Name: text(inputs.name),
      Labels: labelMap(inputs.labels),
      Data: text(data),
    })) as unknown as { id?: string; ID?: string };
    return { id: made.id ?? made.ID ?? "", state: {} };
  },
  async read(client, id, known) {
    const engine = await client.engine();
    const there = (await found(engine.getConfig(id).inspect())) as
      { Spec?: { Name?: string; Data?: string; Labels?: Record<string, string> } } | undefined;
    if (!there) {
      return undefined;
    }
    const data = there.Spec?.Data ?? "";
    return {
      id,
      state: {
        name: there.Spec?.Name,
        labels: labelList(there.Spec?.Labels),
        ...(known.dataRaw === undefined
          ? { data }
          : { dataRaw: Buffer.from(data, "base64").toString() }),
      },
    };
  },
  async delete(client, id) {
    await found((await client.engine()).getConfig(id).remove());
  },
};
