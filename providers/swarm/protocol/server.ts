import * as grpc from "@grpc/grpc-js";
import { Any } from "google-protobuf/google/protobuf/any_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct, type JavaScriptValue } from "google-protobuf/google/protobuf/struct_pb";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import type { PluginAttach } from "@pulumi/pulumi/proto/plugin_pb";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { messageOf, systemClock } from "../wait";
import { EngineLogger } from "./engine-log";
import { Unwell, type Context, type Resource } from "./resource";
import type { Properties } from "./values";

export const VERSION = "0.1.0";

export interface ServeOptions {
  /** Type token → implementation. */
  readonly resources: Readonly<Record<string, Resource>>;
  /** Function token → what it answers. */
  readonly functions: Readonly<
    Record<string, (args: Properties, context: Context) => Properties | Promise<Properties>>
  >;
  /** `host:port` of the engine. */
  readonly engineAddress: string | undefined;
  /** Called once when the engine cancels or ends the process. */
  readonly onClose: () => void;
}

/**
 * Serves resources to the Pulumi engine over gRPC on a free loopback port, which it returns.
 *
 * `@pulumi/pulumi/provider` does the same with less code, but hands over neither the previous inputs, nor whether a call
 * is only a preview, nor a cancellation, and cannot log beside a resource; all four are needed here.
 */
export async function serve(options: ServeOptions): Promise<number> {
  let logger = new EngineLogger(options.engineAddress);
  const cancelled = new AbortController();
  const close = () => {
    cancelled.abort(new Error("cancelled"));
    options.onClose();
  };
  process.once("SIGTERM", () => {
    close();
    process.exit(0);
  });

  const context = (urn: string): Context => ({
    name: urn.slice(urn.lastIndexOf("::") + 2),
    urn,
    log: logger.for(urn),
    signal: cancelled.signal,
    clock: systemClock,
  });
  const resource = (urn: string): Resource => {
    const type = urn.split("::")[2]?.split("$").at(-1) ?? "";
    const found = options.resources[type];
    if (!found) {
      throw new Error(
        `the swarm provider has no type ${type}; it has ${Object.keys(options.resources).join(", ")}`,
      );
    }
    return found;
  };

  const server = new grpc.Server({
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
  });
  server.addService(ResourceProviderService, {
    handshake: unary((request: proto.ProviderHandshakeRequest) => {
      if (request.getEngineAddress()) logger = new EngineLogger(request.getEngineAddress());
      return new proto.ProviderHandshakeResponse();
    }),
    attach: unary((request: PluginAttach) => {
      logger = new EngineLogger(request.getAddress());
      return new Empty();
    }),
    getPluginInfo: unary(() => new PluginInfo().setVersion(VERSION)),
    getSchema: unary(() => {
      const response = new proto.GetSchemaResponse();
      response.setSchema(JSON.stringify({ name: "swarm", version: VERSION }));
      return response;
    }),
    checkConfig: unary((request: proto.CheckRequest) =>
      new proto.CheckResponse().setInputs(request.getNews()),
    ),
    diffConfig: unary(() =>
      new proto.DiffResponse().setChanges(proto.DiffResponse.DiffChanges.DIFF_NONE),
    ),
    // Secrets are not accepted: the engine then unwraps them on the way in and, on the way out, marks as secret again
    // whatever has the name of a secret input (E pkg/resource/plugin/provider_plugin.go, annotateSecrets).
    configure: unary(() => new proto.ConfigureResponse().setSupportspreview(true)),

    invoke: unary(async (request: proto.InvokeRequest) => {
      const answer = options.functions[request.getTok()];
      if (!answer) throw new Error(`the swarm provider has no function ${request.getTok()}`);
      const result = await answer(fromStruct(request.getArgs()), context(""));
      return new proto.InvokeResponse().setReturn(toStruct(result));
    }),

    check: unary((request: proto.CheckRequest) => {
      const failures = resource(request.getUrn()).check(fromStruct(request.getNews()));
      const response = new proto.CheckResponse().setInputs(request.getNews());
      for (const { property, reason } of failures) {
        response.addFailures(
          new proto.CheckFailure().setProperty(property).setReason(`${property} ${reason}`),
        );
      }
      return response;
    }),
    diff: unary((request: proto.DiffRequest) => {
      const before = fromStruct(request.getOldInputs());
      const after = fromStruct(request.getNews());
      for (const key of request.getIgnorechangesList()) after[key] = before[key];
      const diff = resource(request.getUrn()).diff(before, after);
      const { DIFF_NONE, DIFF_SOME } = proto.DiffResponse.DiffChanges;
      return new proto.DiffResponse()
        .setChanges(diff.changed.length > 0 ? DIFF_SOME : DIFF_NONE)
        .setDiffsList([...diff.changed])
        .setReplacesList([...diff.replaces])
        .setDeletebeforereplace(diff.deleteBeforeReplace ?? false);
    }),
    create: unary(async (request: proto.CreateRequest) => {
      const inputs = fromStruct(request.getProperties());
      const response = new proto.CreateResponse();
      if (request.getPreview()) {
        return response.setProperties(
          toStruct(resource(request.getUrn()).preview(inputs, undefined)),
        );
      }
      const { id, state } = await resource(request.getUrn()).create(
        inputs,
        context(request.getUrn()),
      );
      return response.setId(id).setProperties(toStruct(state));
    }),
    read: unary(async (request: proto.ReadRequest) => {
      const type = resource(request.getUrn());
      const response = new proto.ReadResponse();
      if (!request.hasInputs()) {
        if (!type.import) {
          throw new Error(
            `${request.getUrn().split("::")[2]?.split("$").at(-1)} cannot be imported, because it exists in the state only: have \`up\` make a new one`,
          );
        }
        const imported = await type.import(request.getId(), context(request.getUrn()));
        return response
          .setId(imported.id)
          .setProperties(toStruct(imported.state))
          .setInputs(toStruct(imported.inputs));
      }
      if (!type.read) {
        return response
          .setId(request.getId())
          .setProperties(request.getProperties())
          .setInputs(request.getInputs());
      }
      const found = await type.read(
        request.getId(),
        fromStruct(request.getProperties()),
        fromStruct(request.getInputs()),
        context(request.getUrn()),
      );
      if (!found) return response;
      return response
        .setId(request.getId())
        .setProperties(toStruct(found.state))
        .setInputs(toStruct(found.inputs));
    }),
    update: unary(async (request: proto.UpdateRequest) => {
      const state = fromStruct(request.getOlds());
      const after = fromStruct(request.getNews());
      const response = new proto.UpdateResponse();
      if (request.getPreview()) {
        return response.setProperties(toStruct(resource(request.getUrn()).preview(after, state)));
      }
      const updated = await resource(request.getUrn()).update(
        request.getId(),
        state,
        fromStruct(request.getOldInputs()),
        after,
        context(request.getUrn()),
      );
      return response.setProperties(toStruct(updated));
    }),
    delete: unary(async (request: proto.DeleteRequest) => {
      await resource(request.getUrn()).delete(
        request.getId(),
        fromStruct(request.getProperties()),
        fromStruct(request.getOldInputs()),
        context(request.getUrn()),
      );
      return new Empty();
    }),
    cancel: unary(() => {
      close();
      return new Empty();
    }),
  });

  return new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    );
  });
}

/** A gRPC handler of a function that returns, or fails with an `Error` whose message is for the operator. */
function unary<Request, Response>(
  handle: (request: Request) => Response | Promise<Response>,
): grpc.handleUnaryCall<Request, Response> {
  return (call, callback) => {
    Promise.resolve()
      .then(() => handle(call.request))
      .then(
        (response) => callback(null, response),
        (error: unknown) =>
          callback({
            code: grpc.status.UNKNOWN,
            details: messageOf(error),
            ...(error instanceof Unwell && { metadata: unwellDetails(error) }),
          }),
      );
  };
}

/** Where the engine looks for a resource that exists and is not well (E pkg/resource/plugin/provider_plugin.go, parseError). */
function unwellDetails({ message, made: { id, state } }: Unwell): grpc.Metadata {
  const failure = new proto.ErrorResourceInitFailed()
    .setId(id)
    .setProperties(toStruct(state))
    .setReasonsList([message]);
  const detail = new Any();
  detail.pack(failure.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const status = new Status().setCode(grpc.status.UNKNOWN).setMessage(message);
  status.addDetails(detail);
  const metadata = new grpc.Metadata();
  metadata.add("grpc-status-details-bin", Buffer.from(status.serializeBinary()));
  return metadata;
}

function fromStruct(struct: Struct | undefined): Properties {
  return struct?.toJavaScript() ?? {};
}

function toStruct(properties: Properties): Struct {
  // A Struct cannot hold `undefined`; JSON leaves such members out.
  return Struct.fromJavaScript(
    JSON.parse(JSON.stringify(properties)) as Record<string, JavaScriptValue>,
  );
}
