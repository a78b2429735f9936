import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import type { IResourceProviderServer } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { check, type Autonaming } from "./check";
import { diff } from "./diff";
import * as lifecycle from "./lifecycle";
import type { ProviderType, ResourceType } from "./provider";
import { checkResponse, diffResponse } from "./responses";
import { HalfMade, messageOf, unary } from "./rpc";
import { decode, encode, type Values } from "./values";

/**
 * Pulumi's provider protocol over a table of resource types.
 *
 * Spoken directly rather than through `@pulumi/pulumi/provider`, whose server has no detailed diffs, no
 * previews of creations and no configuration. Like the official bridge it does not ask for secrets: the
 * engine strips them from inputs and marks the outputs of the same name again.
 */
export function implementation<Client>(provider: ProviderType<Client>): IResourceProviderServer {
  const cancelled = new AbortController();
  let client: Client | undefined;

  const connected = (): Client => {
    if (client === undefined) {
      throw new Error(`provider ${provider.name} is not configured`);
    }
    return client;
  };
  const typeOf = (urn: string): ResourceType<Client> => {
    const token = urn.split("::")[2]?.split("$").pop() ?? "";
    const type = provider.resources[token];
    if (!type) {
      throw new Error(
        `the local stand-in for the provider "${provider.name}" has no resource type ${token}; ` +
          `it has ${Object.keys(provider.resources).join(", ")}`,
      );
    }
    return type;
  };

  const handlers = {
    getPluginInfo: unary((_: Empty) => {
      const info = new PluginInfo();
      info.setVersion(provider.version);
      return info;
    }),
    getSchema: unary((_: messages.GetSchemaRequest) => {
      const response = new messages.GetSchemaResponse();
      response.setSchema(JSON.stringify({ name: provider.name, version: provider.version }));
      return response;
    }),
    attach: unary((_: unknown) => new Empty()),
    cancel: unary((_: Empty) => {
      cancelled.abort(new Error("cancelled"));
      return new Empty();
    }),

    checkConfig: unary((request: messages.CheckRequest) => {
      const news = decode(request.getNews());
      return checkResponse(news, provider.checkConfig?.(news) ?? []);
    }),
    diffConfig: unary((request: messages.DiffRequest) => {
      const olds = decode(request.getOldInputs() ?? request.getOlds());
      const news = decode(request.getNews());
      const names = [...new Set([...Object.keys(olds), ...Object.keys(news)])];
      const changed = names.filter(
        (name) => JSON.stringify(olds[name]) !== JSON.stringify(news[name]),
      );
      return diffResponse(
        changed.map((path) => ({ path, kind: "update", replace: false })),
        false,
      );
    }),
    configure: unary((request: messages.ConfigureRequest) => {
      client = provider.configure(decode(request.getArgs()), cancelled.signal);
      const response = new messages.ConfigureResponse();
      response.setSupportspreview(true);
      response.setAcceptsecrets(false);
      response.setSupportsAutonamingConfiguration(true);
      return response;
    }),

    invoke: unary(async (request: messages.InvokeRequest) => {
      const invoke = provider.functions[request.getTok()];
      if (!invoke) {
        throw new Error(
          `the local stand-in for the provider "${provider.name}" has no function ${request.getTok()}`,
        );
      }
      const response = new messages.InvokeResponse();
      response.setReturn(encode(await invoke(connected(), decode(request.getArgs()))));
      return response;
    }),

    check: unary((request: messages.CheckRequest) => {
      const type = typeOf(request.getUrn());
      const olds = decode(request.getOlds());
      const { inputs, failures } = check(
        type.inputs,
        olds,
        decode(request.getNews()),
        type.autoname ? autonamingOf(request) : undefined,
      );
      const more = failures.length === 0 ? (type.validate?.(inputs, olds) ?? []) : [];
      return checkResponse(inputs, [...failures, ...more]);
    }),

    diff: unary((request: messages.DiffRequest) => {
      const type = typeOf(request.getUrn());
      const olds = decode(request.getOlds());
      const news = decode(request.getNews());
      const changes = diff(type.inputs, olds, news, request.getIgnorechangesList());
      if (changes.length > 0) {
        type.refuse?.(olds, lifecycle.withIgnored(news, olds, request.getIgnorechangesList()));
      }
      return diffResponse(changes, lifecycle.deletesBeforeReplace(type, news));
    }),

    create: unary(async (request: messages.CreateRequest) => {
      const type = typeOf(request.getUrn());
      const inputs = decode(request.getProperties());
      const response = new messages.CreateResponse();
      if (request.getPreview()) {
        response.setProperties(encode(lifecycle.plannedState(type, inputs)));
        return response;
      }
      const { id, state } = await create(type, connected(), inputs);
      response.setId(id);
      response.setProperties(encode({ id, ...lifecycle.mergedState(type, inputs, state) }));
      return response;
    }),

    read: unary(async (request: messages.ReadRequest) => {
      const type = typeOf(request.getUrn());
      const known = decode(request.getProperties());
      const found = await type.read(connected(), request.getId(), known);
      const response = new messages.ReadResponse();
      if (found) {
        const state = { ...known, ...found.state };
        const inputs = request.hasInputs() ? decode(request.getInputs()) : undefined;
        response.setId(found.id);
        response.setProperties(encode({ ...lifecycle.mergedState(type, {}, state), id: found.id }));
        response.setInputs(encode(lifecycle.readInputs(type.inputs, inputs, state)));
      }
      return response;
    }),

    update: unary(async (request: messages.UpdateRequest) => {
      const type = typeOf(request.getUrn());
      const olds = decode(request.getOlds());
      const ignore = request.getIgnorechangesList();
      const given = decode(request.getNews());
      const news = lifecycle.withIgnored(given, olds, ignore);
      const response = new messages.UpdateResponse();
      if (request.getPreview() || !type.update) {
        response.setProperties(encode(lifecycle.mergedState(type, news, {}, olds)));
        return response;
      }
      const changed = lifecycle.changedProperties(diff(type.inputs, olds, given, ignore));
      const { id, state } = await type.update(connected(), request.getId(), {
        olds,
        news,
        planned: lifecycle.planned(type.inputs, olds, news),
        changed: (property) => changed.has(property),
      });
      response.setProperties(encode({ ...lifecycle.mergedState(type, news, state, olds), id }));
      return response;
    }),

    delete: unary(async (request: messages.DeleteRequest) => {
      const type = typeOf(request.getUrn());
      await type.delete(connected(), request.getId(), decode(request.getProperties()));
      return new Empty();
    }),
  };
  // What is left out (parameters, components, mappings) is answered UNIMPLEMENTED by grpc-js.
  return handlers as unknown as IResourceProviderServer;
}

async function create<Client>(
  type: ResourceType<Client>,
  client: Client,
  inputs: Values,
): Promise<{ id: string; state: Values }> {
  let made: { id: string; state: Values } | undefined;
  try {
    return await type.create(client, inputs, {
      exists: (id, state = {}) => {
        made = { id, state };
      },
      gone: () => {
        made = undefined;
      },
    });
  } catch (error) {
    if (!made) {
      throw error;
    }
    const state = { id: made.id, ...lifecycle.mergedState(type, inputs, made.state) };
    throw new HalfMade(messageOf(error), made.id, state);
  }
}

function autonamingOf(request: messages.CheckRequest): Autonaming {
  const options = request.getAutonaming();
  const modes = ["propose", "enforce", "disable"] as const;
  return {
    name: request.getName() || (request.getUrn().split("::").pop() ?? ""),
    seed: request.getRandomseed_asU8(),
    ...(options && {
      proposal: { name: options.getProposedName(), mode: modes[options.getMode()] ?? "propose" },
    }),
  };
}
