/** Databases, the registry and the name server, with what a Droplet and the operator's machine do with them. */
import { connect as connectTls } from "node:tls";
import Docker from "dockerode";
import { Client } from "pg";
import { DockerMachines, resetMachines } from "../../local/machines/docker";
import { execIn } from "../../local/machines/docker/engine";
import { ensureImages } from "../../local/machines/docker/images";
import {
  dropletName,
  INSTANCE_LABEL,
  objectLabels,
  objectName,
  vpcName,
} from "../../local/machines/docker/names";
import { preflight } from "../../local/machines/docker/preflight";
import type {
  DatabaseSpec,
  DropletSpec,
  GuardSpec,
  NetworkSpec,
  RegistrySpec,
  World,
} from "../../local/machines/machines";
import { TestAuthority } from "./certificates";
import { eventually } from "./fixture";

const INSTANCE = "5e4b1c";
const vpc = { id: "vpc-services", name: "services", ipRange: "10.248.7.0/24" };
const otherVpc = { id: "vpc-other", name: "other", ipRange: "10.248.8.0/24" };
const PG = { address: "127.248.7.20", name: "db-do-user-1-0.g.db.ondigitalocean.com" };
const CACHE = { address: "127.248.7.21", name: "cache-do-user-1-0.g.db.ondigitalocean.com" };
const REGISTRY_HOST = "registry.digitalocean.com";
const PASSWORD = "it's a \\ secret";

const docker = new Docker();
const options = { instance: INSTANCE, docker, publicPool: "127.248.7.0/24" };
let machines = new DockerMachines(options);
let authority: TestAuthority;
let pg: DatabaseSpec;
let cache: DatabaseSpec;
let registry: RegistrySpec;
let droplet: DropletSpec;

const guard = (privateIp: string, ports: string, cidrs: readonly string[]): GuardSpec => ({
  vpcId: vpc.id,
  privateIp,
  inbound: [{ protocol: "tcp", ports, cidrs }],
});
const THE_DROPLET = "10.248.7.2/32";
const OPERATOR = "127.0.0.1/32";

const network = (sources: readonly string[] = [THE_DROPLET, OPERATOR]): NetworkSpec => ({
  vpcs: [vpc, otherVpc],
  droplets: [droplet],
  addresses: [],
  services: [
    { address: PG.address, vpcId: vpc.id, privateIp: pg.privateIp },
    { address: CACHE.address, vpcId: vpc.id, privateIp: cache.privateIp },
  ],
  firewalls: [],
  guards: [guard(pg.privateIp, "25060-25061", sources)],
  names: [
    { name: PG.name, addresses: [PG.address] },
    { name: `private-${PG.name}`, addresses: [pg.privateIp] },
  ],
  metadataPort: 9,
});

const world = (): World => ({
  vpcs: [vpc, otherVpc],
  volumes: [],
  droplets: [{ ...droplet, power: "on" }],
  databases: [pg, cache],
  registry,
  network: network(),
});

let impossible: string | undefined;
beforeAll(async () => {
  impossible = await preflight();
  if (impossible) {
    process.stderr.write(`services are not tested on machines: ${impossible}\n`);
    return;
  }
  await ensureImages(undefined, docker);
  await resetMachines(INSTANCE, docker);
  authority = await TestAuthority.make();
  const database = { vpcId: vpc.id, vcpus: 1, memoryMib: 1024, databases: [], pools: [] };
  pg = {
    ...database,
    id: "db",
    name: "db",
    engine: "pg",
    version: "15",
    privateIp: "10.248.7.20",
    port: 25060,
    poolPort: 25061,
    tls: await authority.issue(PG.name, `private-${PG.name}`),
    users: [
      { name: "doadmin", password: PASSWORD },
      { name: "app", password: "app" },
    ],
    databases: ["defaultdb", "shop"],
    pools: [{ name: "shop-pool", mode: "transaction", size: 5, database: "shop", user: "app" }],
  };
  cache = {
    ...database,
    id: "cache",
    name: "cache",
    engine: "valkey",
    version: "8",
    privateIp: "10.248.7.21",
    port: 25061,
    poolPort: 0,
    tls: await authority.issue(CACHE.name),
    users: [{ name: "default", password: PASSWORD }],
  };
  registry = {
    host: REGISTRY_HOST,
    tls: await authority.issue(REGISTRY_HOST),
    username: "token",
    password: PASSWORD,
  };
  droplet = {
    id: 2,
    name: "node-2",
    region: "fra1",
    image: "debian-12-x64",
    vcpus: 2,
    memoryMib: 2048,
    diskGib: 60,
    userData: undefined,
    sshPublicKeys: [],
    vpcId: vpc.id,
    privateIp: "10.248.7.2",
    publicIp: undefined,
    trustedCaPem: authority.pem,
  };
  await machines.createVpc(vpc);
  await machines.createVpc(otherVpc);
  await machines.applyNetwork(network());
  await Promise.all([
    machines.createDroplet(droplet),
    machines.applyDatabase(pg),
    machines.applyDatabase(cache),
    machines.applyRegistry(registry),
  ]);
}, 600_000);
afterAll(() => resetMachines(INSTANCE, docker), 60_000);

const onMachines = (name: string, body: () => Promise<void>) =>
  test(name, async () => (impossible ? undefined : body()), 90_000);

/** Runs SQL as a client on this machine does; answers the first column of the first row. */
async function sql(
  text: string,
  { user = "doadmin", password = PASSWORD, database = "defaultdb", port = 25060, tls = true } = {},
): Promise<unknown> {
  const client = new Client({
    host: PG.address,
    port,
    user,
    password,
    database,
    connectionTimeoutMillis: 3000,
    ssl: tls && { ca: authority.pem, servername: PG.name },
  });
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(text);
    return Object.values(rows[0] ?? {})[0];
  } finally {
    await client.end();
  }
}

/** What the Valkey server says to commands, as one text. */
function valkey(...commands: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({
      host: CACHE.address,
      port: cache.port,
      ca: authority.pem,
      servername: CACHE.name,
    });
    let said = "";
    socket.on("data", (chunk: Buffer) => (said += chunk.toString()));
    socket.on("error", reject);
    socket.on("end", () => resolve(said.trim()));
    socket.write([...commands, "QUIT", ""].join("\r\n"));
  });
}

async function onDroplet(command: string): Promise<string> {
  const container = docker.getContainer(dropletName(INSTANCE, droplet.id));
  const { stdout, stderr } = await execIn(container, ["sh", "-c", command]);
  return (stdout + stderr).trim();
}

const reach = (address: string, port: number) =>
  `socat -u OPEN:/dev/null TCP:${address}:${port},connect-timeout=1 && echo reached`;

describe("a PostgreSQL cluster", () => {
  onMachines("serves its administrator, who is no superuser, over TLS only", async () => {
    expect(await sql("SHOW server_version")).toMatch(/^15/);
    const rights = "SELECT rolsuper::text || rolcreatedb || rolcreaterole FROM pg_roles";
    expect(await sql(`${rights} WHERE rolname = current_user`)).toBe("falsetruetrue");
    await expect(sql("SELECT 1", { tls: false })).rejects.toThrow("no encryption");
    await expect(sql("SELECT 1", { password: "wrong" })).rejects.toThrow("password");
    await expect(sql("SELECT 1", { user: "postgres" })).rejects.toThrow();
  });

  onMachines("gives users no rights by themselves, and serves them through a pool", async () => {
    const app = { user: "app", password: "app", database: "shop" };
    await expect(sql("CREATE TABLE t (n int)", app)).rejects.toThrow("permission denied");
    await sql("GRANT ALL ON SCHEMA public TO app", { database: "shop" });
    await sql("CREATE TABLE t AS SELECT 42 AS n", app);
    const pool = { ...app, database: "shop-pool", port: 25061 };
    expect(await sql("SELECT n FROM t", pool)).toBe(42);
    await expect(sql("SELECT 1", { ...pool, password: "wrong" })).rejects.toThrow();
  });

  onMachines("keeps its data through kill -9, a change of size and of users", async () => {
    await docker.getContainer(objectName(INSTANCE, "database", "db")).kill();
    pg = {
      ...pg,
      memoryMib: 2048,
      users: [
        { name: "doadmin", password: "rotated" },
        { name: "worker", password: "worker" },
      ],
      databases: ["defaultdb", "shop", "more"],
      pools: [],
    };
    await machines.applyDatabase(pg);
    const admin = { password: "rotated" };
    // What a former user owned is the administrator's.
    expect(await sql("SELECT n FROM t", { ...admin, database: "shop" })).toBe(42);
    expect(await sql("SHOW max_connections", admin)).toBe("50");
    await sql("SELECT 1", { user: "worker", password: "worker", database: "more" });
    await expect(sql("SELECT 1", { user: "app", password: "app" })).rejects.toThrow();
  });

  onMachines("lets in only trusted sources, from the VPC and from outside", async () => {
    const stranger = await startStranger(vpc.id, "10.248.7.3");
    const attempt = async () => {
      const { stdout } = await execIn(stranger, ["sh", "-c", reach(pg.privateIp, 25060)]);
      return stdout.trim();
    };
    expect(await onDroplet(reach(pg.privateIp, 25060))).toBe("reached");
    expect(await attempt()).toBe("");
    await machines.applyNetwork(network(["10.248.7.3/32"]));
    expect(await attempt()).toBe("reached");
    expect(await onDroplet(reach(pg.privateIp, 25060))).not.toContain("reached");
    await expect(sql("SELECT 1", { password: "rotated" })).rejects.toThrow("timeout");
    await machines.applyNetwork(network());
    expect(await sql("SELECT 1", { password: "rotated" })).toBe(1);
  });
});

describe("a Valkey cluster", () => {
  onMachines("keeps data behind TLS and a password, and nobody administers it", async () => {
    const login = `AUTH default "${PASSWORD.replace("\\", "\\\\")}"`;
    expect(await valkey("GET a")).toContain("NOAUTH");
    expect(await valkey(login, "SET a kept")).toBe("+OK\r\n+OK\r\n+OK");
    expect(await valkey(login, "CONFIG GET dir")).toContain("NOPERM");
    await machines.applyDatabase({ ...cache, memoryMib: 512 });
    expect(await valkey(login, "GET a")).toContain("kept");
  });
});

/** A few files that answer what addresses a name has; Droplets have no other image yet. */
const PROBE = [
  "tar -hc -C / usr/bin/getent $(ldd /usr/bin/getent | grep -o '/[^ ]*' | sed 's/^.//')",
  'docker import -c \'ENTRYPOINT ["/usr/bin/getent", "ahostsv4"]\' - probe',
].join(" | ");

describe("a Droplet", () => {
  onMachines("pushes images to the registry and pulls them, once it has logged in", async () => {
    await eventually("Docker to run", async () => (await onDroplet("docker ps -q")) === "");
    await onDroplet(PROBE);
    const image = `${REGISTRY_HOST}/team/probe:1`;
    const push = `docker tag probe ${image} && docker push -q ${image} && docker rmi ${image}`;
    expect(await onDroplet(push)).toMatch(/no basic auth credentials|unauthorized|authentication/);
    const password = PASSWORD.replaceAll("'", `'\\''`);
    const login = `printf %s '${password}' | docker login -u token --password-stdin ${REGISTRY_HOST}`;
    expect(await onDroplet(login)).toContain("Login Succeeded");
    await onDroplet(push);
    expect(await onDroplet(`docker pull -q ${image}`)).toBe(image);
  });

  onMachines("finds the network's names, as do its containers, and changes at once", async () => {
    const host = `private-${PG.name}`;
    expect(await onDroplet(`getent ahostsv4 ${PG.name}`)).toContain(pg.privateIp);
    await onDroplet("docker swarm init --advertise-addr 10.248.7.2");
    await onDroplet("docker network create -d overlay --attachable net");
    for (const net of ["bridge", "net"]) {
      expect(await onDroplet(`docker run --rm --network ${net} probe ${host}`)).toContain(
        pg.privateIp,
      );
      // An unknown name must not cost the resolver's whole patience.
      expect(await onDroplet(`timeout 4 docker run --rm --network ${net} probe no.such.name`)).toBe(
        "",
      );
    }
    const names = [{ name: host, addresses: ["10.248.7.99"] }];
    await machines.applyNetwork({ ...network(), names });
    expect(await onDroplet(`docker run --rm --network net probe ${host}`)).toContain("10.248.7.99");
    expect(await onDroplet(`getent ahostsv4 ${REGISTRY_HOST}`)).toContain("169.254.169.253");
    await machines.applyNetwork(network());
  });
});

describe("a VPC", () => {
  onMachines("is reached by none of another VPC", async () => {
    const outsider = await startStranger(otherVpc.id, "10.248.8.3");
    const { stdout } = await execIn(outsider, ["sh", "-c", reach(droplet.privateIp, 22)]);
    expect(stdout).toBe("");
    expect(await onDroplet(reach(droplet.privateIp, 22))).toBe("reached");
  });
});

describe("services", () => {
  onMachines("are brought back after a restart, and data that are gone are named", async () => {
    await machines.close();
    const names = ["database-db", "database-cache", "registry"];
    await Promise.all(
      names.map((name) => docker.getContainer(objectName(INSTANCE, name)).remove({ force: true })),
    );
    machines = new DockerMachines(options);
    const lost = { ...pg, id: "lost", name: "lost", privateIp: "10.248.7.30" };
    const restored = machines.restore({ ...world(), databases: [pg, cache, lost] });
    await expect(restored).rejects.toThrow(/^database lost: its data are gone$/);
    expect(await sql("SELECT n FROM t", { password: "rotated", database: "shop" })).toBe(42);
    const image = `${REGISTRY_HOST}/team/probe:1`;
    expect(await onDroplet(`docker pull -q ${image}`)).toBe(image);
  });

  onMachines("show no secret to those who inspect their containers", async () => {
    const filters = { label: [`${INSTANCE_LABEL}=${INSTANCE}`] };
    for (const { Id } of await docker.listContainers({ all: true, filters })) {
      const shown = JSON.stringify(await docker.getContainer(Id).inspect());
      expect(shown).not.toMatch(/secret|rotated|PRIVATE KEY/);
    }
  });

  onMachines("are deleted with their data", async () => {
    await machines.deleteDatabase("db");
    await machines.deleteDatabase("cache");
    expect(await machines.applyRegistry(undefined)).toBeUndefined();
    const filters = { label: [`${INSTANCE_LABEL}=${INSTANCE}`] };
    const { Volumes } = await docker.listVolumes({ filters });
    expect(
      Volumes.map(({ Name }) => Name).filter((name) => /database|registry/.test(name)),
    ).toEqual([]);
    expect(await onDroplet(`getent ahostsv4 ${REGISTRY_HOST}`)).toBe("");
  });
});

/** Another machine of a VPC; a Droplet would take ten seconds to boot. */
async function startStranger(vpcId: string, address: string): Promise<Docker.Container> {
  const { support } = await ensureImages(undefined, docker);
  const name = vpcName(INSTANCE, vpcId);
  const container = await docker.createContainer({
    name: objectName(INSTANCE, "stranger", vpcId),
    Image: support.web,
    Labels: objectLabels(INSTANCE, "droplet", 3),
    Cmd: ["sleep", "infinity"],
    HostConfig: { NetworkMode: name, Init: true },
    NetworkingConfig: { EndpointsConfig: { [name]: { IPAMConfig: { IPv4Address: address } } } },
  });
  await container.start();
  return container;
}
