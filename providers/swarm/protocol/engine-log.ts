import * as grpc from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";

/** Lines that the engine prints beside the resource they belong to. */
export interface EngineLog {
  /** A passing line: what the resource is waiting for right now. */
  status(message: string): void;
  info(message: string): void;
  warn(message: string): void;
}

/** Sends log lines to the engine at `address` (`host:port`); without an address they go to standard error. */
export class EngineLogger {
  private readonly client: EngineClient | undefined;

  constructor(address: string | undefined) {
    this.client = address
      ? new EngineClient(address, grpc.credentials.createInsecure())
      : undefined;
  }

  /** The log of the resource `urn`. */
  for(urn: string): EngineLog {
    return {
      status: (message) => this.send(urn, LogSeverity.INFO, message, true),
      info: (message) => this.send(urn, LogSeverity.INFO, message, false),
      warn: (message) => this.send(urn, LogSeverity.WARNING, message, false),
    };
  }

  close(): void {
    this.client?.close();
  }

  private send(urn: string, severity: 1 | 2, message: string, ephemeral: boolean): void {
    if (!this.client) {
      process.stderr.write(`${message}\n`);
      return;
    }
    const request = new LogRequest();
    request.setSeverity(severity);
    request.setMessage(message);
    request.setUrn(urn);
    request.setEphemeral(ephemeral);
    // A lost log line must not fail the operation it tells about.
    this.client.log(request, () => undefined);
  }
}
