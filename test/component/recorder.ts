import * as pulumi from "@pulumi/pulumi";
import type { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks";

/** One declared resource, as the engine would see it. */
export interface Declared {
  readonly type: string;
  readonly name: string;
  readonly inputs: Record<string, unknown>;
  readonly options: {
    readonly protect: boolean;
    readonly ignoreChanges: readonly string[];
    readonly deleteBeforeReplace: boolean;
    readonly replaceOnChanges: readonly string[];
    /** URN. */
    readonly deletedWith: string;
  };
}

/** Outputs of providers that programs go on with, by type. */
const OUTPUTS: Readonly<Record<string, Record<string, unknown>>> = {
  "digitalocean:index/droplet:Droplet": {
    ipv4Address: "203.0.113.10",
    ipv4AddressPrivate: "10.64.0.2",
    dropletUrn: "do:droplet:1",
  },
  "digitalocean:index/volume:Volume": { volumeUrn: "do:volume:v" },
  "digitalocean:index/reservedIp:ReservedIp": {
    ipAddress: "203.0.113.20",
    reservedIpUrn: "do:reservedip:203.0.113.20",
  },
  "digitalocean:index/loadBalancer:LoadBalancer": {
    ip: "203.0.113.30",
    loadBalancerUrn: "do:loadbalancer:front",
  },
  "digitalocean:index/sshKey:SshKey": { fingerprint: "aa:bb" },
  "digitalocean:index/databaseCluster:DatabaseCluster": {
    privateHost: "private-app-postgres.db.example",
    port: 25060,
    user: "doadmin",
    password: "administrator-password",
    database: "defaultdb",
    storageSizeMib: "15360",
  },
  "digitalocean:index/databaseUser:DatabaseUser": { password: "user-password" },
  "digitalocean:index/databaseReplica:DatabaseReplica": { uuid: "replica-uuid" },
  "digitalocean:index/containerRegistry:ContainerRegistry": {
    endpoint: "registry.digitalocean.com/archipelago-app",
    serverUrl: "registry.digitalocean.com",
  },
  "digitalocean:index/containerRegistryDockerCredentials:ContainerRegistryDockerCredentials": {
    dockerCredentials: JSON.stringify({
      auths: {
        "registry.digitalocean.com": { auth: Buffer.from("bot:push-token").toString("base64") },
      },
    }),
  },
  "digitalocean:index/spacesBucket:SpacesBucket": {
    name: "files-1234567",
    endpoint: "fra1.digitaloceanspaces.com",
    bucketUrn: "do:space:files-1234567",
  },
  "digitalocean:index/spacesKey:SpacesKey": { accessKey: "DO00APP", secretKey: "spaces-secret" },
  "docker:index/registryImage:RegistryImage": { sha256Digest: "sha256:feedfacefeedface" },
  "docker:index/remoteImage:RemoteImage": { repoDigest: "image@sha256:0123456789abcdef" },
  "swarm:index:HostKey": { publicKey: "ssh-ed25519 BOOT", privateKey: "one-time private key" },
  "swarm:index:Cluster": { signingKey: "signing key" },
  "swarm:index:Bastion": {
    connection: { host: "203.0.113.10", hostKey: "ssh-ed25519 PINNED" },
  },
  "swarm:index:Password": { value: "generated-password" },
  "swarm:index:Node": {
    nodeId: "swarmnode1",
    hostKey: "ssh-ed25519 PINNED",
    connection: { host: "203.0.113.10", hostKey: "ssh-ed25519 PINNED" },
  },
};

/** Runs a program against mocks and records what it declares. Proves nothing about providers or the engine. */
export async function record<T>(program: () => T): Promise<{ declared: Declared[]; result: T }> {
  const declared: Declared[] = [];
  const options = new Map<string, Declared["options"]>();
  // Mocks are not told the options; the request that carries them is.
  const registrations = jest.spyOn(MockMonitor.prototype, "registerResource");
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        for (const [request] of registrations.mock.calls as unknown as [
          RegisterResourceRequest,
        ][]) {
          options.set(`${request.getType()}::${request.getName()}`, optionsOf(request));
        }
        const found = options.get(`${type}::${name}`);
        if (found === undefined) throw new Error(`${type} ${name} was not registered`);
        declared.push({ type, name, inputs: inputs as Record<string, unknown>, options: found });
        const id = type.endsWith(":Droplet") ? "1" : `${name}-id`;
        return { id, state: { name, ...(inputs as object), ...OUTPUTS[type] } };
      },
      call: ({ inputs, token }) => {
        const given = inputs as Record<string, unknown>;
        if (token !== "swarm:index:getLivingManager") return { ...given, certificate: "CA" };
        return { connection: (given["candidates"] as unknown[])[0] };
      },
    },
    "archipelago",
    "app",
    false,
  );
  const result = program();
  await settled();
  registrations.mockRestore();
  return { declared, result };
}

function optionsOf(request: RegisterResourceRequest): Declared["options"] {
  return {
    protect: request.getProtect() ?? false,
    ignoreChanges: request.getIgnorechangesList(),
    deleteBeforeReplace: request.getDeletebeforereplace() ?? false,
    replaceOnChanges: request.getReplaceonchangesList(),
    deletedWith: request.getDeletedwith(),
  };
}

/** Waits until no resource is being registered any more. */
async function settled(): Promise<void> {
  await pulumi.runtime.disconnect();
}

/** @returns the one resource of a type and name. */
export function only(declared: readonly Declared[], type: string, name: string): Declared {
  const found = declared.filter((one) => one.type === type && one.name === name);
  expect(found).toHaveLength(1);
  return found[0] as Declared;
}

/** Waits for an output's value. */
export function valueOf<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => output.apply((value) => resolve(value)));
}
