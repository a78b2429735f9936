import * as grpc from "@grpc/grpc-js";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { followEngine } from "../../../providers/plugin/follow-engine";
import type { ProviderType } from "./provider";
import { implementation } from "./server";

/** gRPC messages may be as large as the engine's own limit, 400 MB. */
const MAX_MESSAGE_BYTES = 400 * 1024 * 1024;

/** Serves the provider on a free loopback port and resolves with it. */
export async function listen<Client>(
  provider: ProviderType<Client>,
): Promise<{ port: number; close(): void }> {
  const server = new grpc.Server({
    "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
    "grpc.max_send_message_length": MAX_MESSAGE_BYTES,
  });
  server.addService(ResourceProviderService, implementation(provider));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { port, close: () => server.forceShutdown() };
}

/** Runs as a Pulumi plugin: the engine reads the port from the first line of standard output. */
export function runPlugin<Client>(provider: ProviderType<Client>): void {
  followEngine();
  listen(provider).then(
    ({ port }) => console.log(String(port)),
    (error: unknown) => {
      console.error(error);
      process.exitCode = 1;
    },
  );
}
