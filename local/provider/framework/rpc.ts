import * as grpc from "@grpc/grpc-js";
import { Any } from "google-protobuf/google/protobuf/any_pb";
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { encode, type Values } from "./values";

/** A creation that failed after the resource came into being. */
export class HalfMade extends Error {
  constructor(
    message: string,
    readonly id: string,
    readonly state: Values,
  ) {
    super(message);
  }
}

type Handler<Request, Response> = (request: Request) => Response | Promise<Response>;

/** A handler of requests as gRPC calls it; what it throws becomes the status. */
export function unary<Request, Response>(
  handler: Handler<Request, Response>,
): grpc.handleUnaryCall<Request, Response> {
  return (call, callback) => {
    Promise.resolve()
      .then(() => handler(call.request))
      .then(
        (response) => callback(null, response),
        (error: unknown) => callback(statusOf(error)),
      );
  };
}

function statusOf(error: unknown): Partial<grpc.StatusObject> {
  const metadata = new grpc.Metadata();
  const details = messageOf(error);
  if (error instanceof HalfMade) {
    const failure = new messages.ErrorResourceInitFailed();
    failure.setId(error.id);
    failure.setProperties(encode(error.state));
    failure.setReasonsList([details]);
    const any = new Any();
    any.pack(failure.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
    const status = new Status();
    status.setCode(grpc.status.UNKNOWN);
    status.setMessage(details);
    status.addDetails(any);
    // gRPC's field for structured error details; the engine then keeps the resource in its state.
    metadata.add("grpc-status-details-bin", Buffer.from(status.serializeBinary()));
  }
  return { code: grpc.status.UNKNOWN, details, metadata };
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
