/** The single-node topology on a real Droplet, from a stack file to an answer and back to nothing. */
import * as fs from "node:fs";
import * as path from "node:path";
import { AwsClient } from "aws4fetch";
import Docker from "dockerode";
import { newAgeKey } from "../../components/backup/age-key";
import { VOLUME_MOUNT } from "../../infra/names";
import { execIn } from "../../local/machines/docker/engine";
import { bridgePrefix, INSTANCE_LABEL, ROLE_LABEL } from "../../local/machines/docker/names";
import { preflight } from "../../local/machines/docker/preflight";
import { instanceId } from "../../local/paths";
import { missingPrograms } from "../acme/harness";
import { visit } from "../acme/visitor";
import { succeeded } from "../program/support/cloud";
import { Authority } from "./authority";
import { ask, eventually } from "./fixture";
import { containerOf, counter, House, presentedHostKey, visitedDuring } from "./house";

const APP_SECRET = "correct-horse-battery-staple";
const METADATA = "http://169.254.169.254/metadata/v1";

const web = {
  build: { context: "examples/notes" },
  port: 3000,
  routes: ["/"],
  health: {
    path: "/healthz",
    intervalSeconds: 1,
    timeoutSeconds: 1,
    retries: 2,
    startPeriodSeconds: 5,
  },
  release: ["node", "/app/server.js", "migrate"],
  secrets: { api_token: APP_SECRET },
};
const stackFile = {
  topology: "single-node",
  region: "fra1",
  vpcCidr: "10.97.0.0/20",
  services: { web },
};
const larger = {
  ...stackFile,
  nodes: { "manager-1": { size: "s-4vcpu-8gb" } },
  database: { volumeGib: 12 },
};

const KEY = newAgeKey();

const DOMAIN = { name: "app.example.com", zone: "example.com" };

const docker = new Docker();
const house = new House("house");
const { cloud } = house;
const instance = instanceId(path.join(cloud.dir, "local"));
const ours = { label: [`${INSTANCE_LABEL}=${instance}`] };
let url: string;
/** With backups in the stack's own bucket and in another one. */
let grown: typeof larger & { readonly backup?: object } = larger;
let authority: Authority | undefined;

let impossible: string | undefined;
beforeAll(async () => {
  const missing = missingPrograms(["pebble", "openssl"]);
  impossible = missing.length > 0 ? `not installed: ${missing.join(", ")}` : await preflight();
  if (impossible) process.stderr.write(`single-node is not tested on machines: ${impossible}\n`);
});
afterAll(async () => {
  await authority?.stop();
  await cloud.remove();
}, 120_000);

/** Where machines cannot be real the reason has been printed. */
function onMachines(name: string, body: () => Promise<void>, timeoutSeconds = 300): void {
  test(name, async () => (impossible ? undefined : body()), timeoutSeconds * 1000);
}

const containers = async () => docker.listContainers({ all: true, filters: ours });
const roles = async () => (await containers()).map(({ Labels }) => Labels[ROLE_LABEL]).sort();
const dropletIds = async () => {
  const { droplets } = await cloud.api<{ droplets: { id: number }[] }>("GET", "/v2/droplets");
  return droplets.map(({ id }) => id);
};

async function backupSettings() {
  const spaces = await cloud.api<
    Record<"endpoint" | "droplet_endpoint" | "access_key" | "secret_key", string>
  >("POST", "/_local/spaces");
  const [accessKey, secretKey] = [spaces.access_key, spaces.secret_key];
  const login = { accessKeyId: accessKey, secretAccessKey: secretKey };
  const operator = new AwsClient({ ...login, service: "s3", region: "us-east-1" });
  const { status } = await operator.fetch(`${spaces.endpoint}/elsewhere`, { method: "PUT" });
  expect(status).toBe(200);
  const second = { endpoint: spaces.droplet_endpoint, bucket: "elsewhere", accessKey, secretKey };
  return { recipient: KEY.recipient, second: { s3: second } };
}

/** What long work comes to, after its progress. */
const lastLine = (stdout: string) =>
  JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Record<string, unknown>;

describe("a house on one Droplet", () => {
  onMachines(
    "serves the app with its database at the printed URL, once it is up",
    async () => {
      cloud.stack("house", stackFile);
      const up = succeeded(await house.up());
      ({ url } = await house.outputs());
      expect(up.output).toContain(`"${url}"`);
      const page = await fetch(url);
      expect(page.status).toBe(200);
      expect(await page.text()).toContain("house-manager-1");
      expect(await counter(url, "POST")).toBe(1);
      expect(await counter(url)).toBe(1);
    },
    600,
  );

  onMachines("has nothing left to change, is well, tells its log and opens a shell", async () => {
    const [preview, status, logs, shell] = await Promise.all([
      cloud.local("preview", "house", "--expect-no-changes"),
      cloud.npm("status", "house", "--json"),
      cloud.npm("logs", "house"),
      cloud.npm("ssh", "house", "true"),
    ]);
    succeeded(preview);
    expect(JSON.parse(succeeded(status).stdout)).toMatchObject({ url, front: 200, errors: [] });
    expect(succeeded(logs).stdout).toMatch(/web \| .*listening on/);
    succeeded(shell);
  });

  onMachines(
    "keeps its secrets out of the user data and the state, and gives up its boot key",
    async () => {
      const [userData, password, exported, { nodes }] = await Promise.all([
        house.onNode(`curl -sS ${METADATA}/user-data`),
        house.onNode(
          `docker exec ${containerOf("postgres")} cat /run/secrets/postgres-password-app`,
        ),
        cloud.local("stack", "export", "house"),
        house.outputs(),
      ]);
      expect(password).toMatch(/^\w{32}$/);
      const plain = [password, APP_SECRET];
      const secrets = [...plain, ...plain.map((text) => Buffer.from(text).toString("base64"))];
      const { stdout: state } = succeeded(exported);
      expect(secrets.filter((text) => userData.includes(text) || state.includes(text))).toEqual([]);
      expect(state).not.toContain("PRIVATE KEY");

      // The one secret of user data is good for the first connection only.
      const [, bootKey] = /ed25519_public: (ssh-ed25519 \S+)/.exec(userData) ?? [];
      const [node] = nodes;
      const presented = await presentedHostKey(node?.publicIp ?? "");
      expect(presented).toBe(node?.connection?.hostKey);
      expect(bootKey).toBeDefined();
      expect(presented).not.toBe(bootKey);
    },
  );

  onMachines(
    "shows neither its metadata to containers nor its database and swarm to the world",
    async () => {
      const fetching = `fetch("${METADATA}/id",{signal:AbortSignal.timeout(3000)})`;
      const say = (what: string) => `()=>{console.log("${what}");process.exit()}`;
      const inside = await house.onNode(
        `docker exec ${containerOf("web")} node -e '${fetching}.then(${say("answered")},${say("unreachable")})'`,
      );
      expect(inside).toBe("unreachable");
      const { address, nodes } = await house.outputs();
      const hosts = [address ?? "", nodes[0]?.publicIp ?? ""];
      const asked = hosts.flatMap((host) =>
        [2375, 2376, 2377, 5432, 6432, 7946].map((port) =>
          ask(host, port).then(
            () => `${host}:${port} answers`,
            (error: NodeJS.ErrnoException) => error.code,
          ),
        ),
      );
      expect(new Set(await Promise.all(asked))).toEqual(new Set(["ETIMEDOUT"]));
    },
  );

  onMachines("holds its services to the Droplet's own processors and memory", async () => {
    const droplet = (await containers()).find(({ Labels }) => Labels[ROLE_LABEL] === "droplet");
    // What the engine lists here is in the Droplet's control group, and so below its limits.
    const container = docker.getContainer(droplet?.Id ?? "");
    const { Processes } = (await container.top({ ps_args: "-eo pid,args" })) as {
      readonly Processes: readonly (readonly string[])[];
    };
    const programs = Processes.map(([, command = ""]) => command);
    for (const own of ["/sbin/init", "dockerd", "haproxy", "postgres"])
      expect(programs).toContainEqual(expect.stringContaining(own));
  });

  onMachines("gets back a service that was removed by hand, and nothing else moves", async () => {
    const before = await dropletIds();
    await house.onNode("docker service rm web");
    succeeded(await cloud.local("refresh", "house", "--yes", "--skip-preview"));
    const up = succeeded(await house.up());
    expect(up.output).toMatch(/\+ 1 created/);
    expect(up.output).not.toMatch(/deleted|replaced/);
    expect(await counter(url)).toBe(1);
    expect(await dropletIds()).toEqual(before);
  });

  onMachines("grows in place, Droplet and Volume, with its data", async () => {
    const before = await dropletIds();
    grown = { ...larger, backup: await backupSettings() };
    cloud.stack("house", grown);
    succeeded(await house.up());
    // At once: an `up` that ends has seen the app answer.
    expect(await counter(url, "POST")).toBe(2);
    expect(await dropletIds()).toEqual(before);
    const below = `unshare --mount sh -c 'mount --bind / /srv && ls -A /srv${VOLUME_MOUNT}'`;
    const [size, onRootDisk, guarded] = await Promise.all([
      house.onNode(`df --output=size --block-size=G ${VOLUME_MOUNT} | tail -n 1`),
      house.onNode(below),
      house.onNode("iptables -C DOCKER-USER -d 169.254.169.254/32 -j DROP && echo yes"),
    ]);
    expect(size).toBe("12G");
    // What is written before the Volume is mounted would seem lost afterwards.
    expect(onRootDisk).toBe("");
    expect(guarded).toBe("yes");
  });

  onMachines("is saved in two places, and gets back what was lost by mistake", async () => {
    const identity = path.join(cloud.dir, "backup.key");
    fs.writeFileSync(identity, `${KEY.identity}\n`, { mode: 0o600 });
    const saved = succeeded(await cloud.npm("backup", "house", "--json"));
    const { backup } = lastLine(saved.stdout);
    expect(backup).toMatch(/^\d{8}T\d{6}Z$/);
    const inApp = `docker exec --user postgres ${containerOf("postgres")} psql -d app`;
    await house.onNode(`${inApp} -c 'DROP TABLE counter'`);
    await expect(counter(url)).rejects.toThrow("503");
    const words = ["house", "--from", "second", "--identity", identity, "--yes", "--json"];
    const restored = succeeded(await cloud.npm("restore", ...words));
    expect(lastLine(restored.stdout)).toMatchObject({
      what: `backup ${String(backup)}`,
      databases: ["app"],
    });
    await eventually("the counter", async () => (await counter(url)) === 2);
  });

  onMachines("keeps serving while a version that never gets healthy fails to deploy", async () => {
    const mute = ["node", "-e", "console.log('waiting for a friend'); setInterval(() => {}, 1e3)"];
    cloud.stack("house", { ...grown, services: { web: { ...web, command: mute } } });
    const { value: up, visits, failures } = await visitedDuring(url, house.up());
    expect(up.code).not.toBe(0);
    expect(up.output).toMatch(/service web: task web\.1 on house-manager-1 .*unhealthy/);
    expect(up.output).toContain("waiting for a friend");
    expect(visits).toBeGreaterThan(10);
    expect(failures).toEqual([]);
    const status = await cloud.npm("status", "house", "--json");
    const { front, errors } = JSON.parse(status.stdout) as { front: number; errors: unknown[] };
    expect(front).toBe(200);
    expect(errors[0]).toMatchObject({
      task: "web.1",
      remedy: expect.stringContaining("health") as string,
    });
  });

  onMachines(
    "keeps serving when an image does not exist, and heals by its old stack file",
    async () => {
      const { build: _build, ...rest } = web;
      const missing = { ...rest, image: "archipelago/no-such-image:1" };
      cloud.stack("house", { ...grown, services: { web: missing } });
      const { value: up, failures } = await visitedDuring(url, house.up());
      expect(up.code).not.toBe(0);
      expect(up.output).toContain("archipelago/no-such-image:1");
      expect(failures).toEqual([]);
      cloud.stack("house", grown);
      const healed = await visitedDuring(url, house.up());
      expect(healed.failures).toEqual([]);
      // The way back is a rollout like any other: it is waited for.
      expect(succeeded(healed.value).output).toMatch(/Rollout app updated/);
      expect(await counter(url)).toBe(2);
    },
  );

  onMachines(
    "comes back with its data after its Droplet was removed by hand, and can take a domain with it",
    async () => {
      const [lost] = await dropletIds();
      await cloud.api("DELETE", `/v2/droplets/${lost}`);
      const refresh = succeeded(await cloud.local("refresh", "house", "--yes", "--skip-preview"));
      expect(refresh.output).toContain("no Droplet tagged archipelago-house exists any more");
      authority = await Authority.start(cloud, DOMAIN.zone);
      cloud.stack("house", { ...grown, domain: { ...DOMAIN, ...authority.settings } });
      succeeded(await house.up());
      expect(await counter(url)).toBe(2);
      expect(await dropletIds()).not.toContain(lost);
    },
  );

  onMachines("serves HTTPS from a domain alone, and sends visitors of HTTP there", async () => {
    const { address = "" } = await house.outputs();
    const { name } = DOMAIN;
    const ca = await (authority as Authority).rootPem();
    // `up` does not wait for the certificate.
    const page = await eventually("a certificate of the authority", () =>
      visit({ name, address, port: 443 }, { ca }),
    );
    expect(page).toMatchObject({ status: 200 });
    expect(page.body).toContain("house-manager-1");
    expect(await visit({ name, address, port: 80 }, { path: "/notes" })).toMatchObject({
      status: 308,
      location: `https://${name}/notes`,
    });
  });

  onMachines("destroyed, leaves no machine, network or Volume behind", async () => {
    succeeded(await cloud.local("destroy", "house", "--yes", "--skip-preview"));
    expect(await roles()).toEqual(["helper", "mirror", "names", "spaces"]);
    expect(await docker.listNetworks({ filters: ours })).toEqual([]);
    const helper = (await containers()).find(({ Labels }) => Labels[ROLE_LABEL] === "helper");
    const files = await execIn(docker.getContainer(helper?.Id ?? ""), ["ls", "-A", "/volumes"]);
    expect(files.stdout.trim()).toBe("");
  });

  onMachines("and after a reset the local DigitalOcean is gone as well", async () => {
    succeeded(await cloud.local("reset"));
    expect(await containers()).toEqual([]);
    expect(await docker.listNetworks({ filters: ours })).toEqual([]);
    expect((await docker.listVolumes({ filters: ours })).Volumes).toEqual([]);
    const interfaces = fs.readdirSync("/sys/class/net");
    expect(interfaces.filter((name) => name.startsWith(bridgePrefix(instance)))).toEqual([]);
  });
});
