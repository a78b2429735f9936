import * as fs from "node:fs";
import * as http from "node:http";
import * as os from "node:os";
import * as path from "node:path";
import { check } from "../../../local/provider/framework/check";
import { diff } from "../../../local/provider/framework/diff";
import { contextFiles } from "../../../local/provider/docker/build-context";
import { DockerClient } from "../../../local/provider/docker/client";
import { duration, nanoseconds } from "../../../local/provider/docker/duration";
import { serviceFields } from "../../../local/provider/docker/service-fields";
import { serviceSpec } from "../../../local/provider/docker/service-spec";
import { serviceState } from "../../../local/provider/docker/service-state";
import { sshArguments } from "../../../local/provider/docker/ssh-agent";

const full = {
  name: "web",
  labels: [{ label: "a", value: "b" }],
  mode: { replicated: { replicas: 2 } },
  taskSpec: {
    containerSpec: {
      image: "node:22@sha256:0",
      commands: ["node"],
      args: ["app.js"],
      env: { A: "1=2", B: "" },
      labels: [{ label: "c", value: "d" }],
      hostname: "h",
      dir: "/app",
      user: "1000",
      groups: ["g"],
      readOnly: true,
      stopSignal: "SIGTERM",
      stopGracePeriod: "1m30s",
      healthcheck: { tests: ["CMD", "true"], interval: "3s", retries: 2 },
      hosts: [{ host: "db", ip: "10.0.0.1" }],
      dnsConfig: { nameservers: ["1.1.1.1"], searches: ["x"], options: ["ndots:1"] },
      mounts: [
        {
          type: "volume",
          source: "data",
          target: "/data",
          volumeOptions: {
            driverName: "local",
            driverOptions: { o: "bind" },
            labels: [{ label: "l", value: "v" }],
          },
        },
        { type: "tmpfs", target: "/tmp", tmpfsOptions: { sizeBytes: 1024, mode: 0o1777 } },
        {
          type: "bind",
          source: "/a",
          target: "/a",
          readOnly: true,
          bindOptions: { propagation: "rprivate" },
        },
      ],
      secrets: [{ secretId: "s", secretName: "sn", fileName: "/run/s", fileMode: 256 }],
      configs: [{ configId: "c", configName: "cn", fileName: "/c", fileUid: "1" }],
      sysctl: { "net.core.somaxconn": "1" },
      capAdds: ["CAP_NET_ADMIN"],
      capDrops: ["ALL"],
      init: true,
      privileges: { seLinuxContext: { disable: true } },
    },
    resources: {
      limits: { nanoCpus: 1e9, memoryBytes: 2e8 },
      reservation: {
        memoryBytes: 1e8,
        genericResources: { discreteResourcesSpecs: ["SSD=3"], namedResourcesSpecs: ["GPU=1"] },
      },
    },
    restartPolicy: { condition: "on-failure", delay: "5s", maxAttempts: 3, window: "10s" },
    placement: {
      constraints: ["node.role==manager"],
      prefs: ["spread=node.id"],
      maxReplicas: 1,
      platforms: [{ architecture: "amd64", os: "linux" }],
    },
    networksAdvanceds: [{ id: "n", aliases: ["web"], driverOpts: ["k=v"] }],
    logDriver: { name: "json-file", options: { "max-size": "1m" } },
    forceUpdate: 2,
    runtime: "container",
  },
  updateConfig: { parallelism: 2, order: "start-first", failureAction: "rollback", delay: "1s" },
  rollbackConfig: { parallelism: 0 },
  endpointSpec: {
    mode: "dnsrr",
    ports: [{ targetPort: 80, publishedPort: 8080, publishMode: "host" }],
  },
};

describe("a service", () => {
  test("read back from the swarm equals what the program said, so that nothing differs for ever", () => {
    const { inputs, failures } = check(serviceFields, {}, full, undefined);
    expect(failures).toEqual([]);
    const state = serviceState({ Spec: serviceSpec(inputs) });
    expect(diff(serviceFields, { ...state }, inputs)).toEqual([]);
  });

  test("scaled and re-imaged by hand shows exactly that", () => {
    const { inputs } = check(serviceFields, {}, full, undefined);
    const spec = serviceSpec(inputs) as {
      Mode: unknown;
      TaskTemplate: { ContainerSpec: { Image: string } };
    };
    spec.Mode = { Replicated: { Replicas: 7 } };
    spec.TaskTemplate.ContainerSpec.Image = "other";
    expect(
      diff(serviceFields, serviceState({ Spec: spec }) ?? {}, inputs).map(({ path }) => path),
    ).toEqual(["taskSpec.containerSpec.image", "mode.replicated.replicas"]);
  });

  test("is global with mode.global", () => {
    expect(serviceSpec({ name: "n", mode: { global: true }, taskSpec: {} }).Mode).toEqual({
      Global: {},
    });
  });
});

test.each([
  ["0s", 0],
  ["500ms", 5e8],
  ["1m30s", 90e9],
  ["2m", 120e9],
  ["1h", 3600e9],
  ["1h0m5s", 3605e9],
])("the duration %s is read and written as Go does", (text, value) => {
  expect([nanoseconds(text), duration(value)]).toEqual([value, text]);
});

test("a build context leaves out what .dockerignore names, exceptions and Dockerfile excepted", () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "context-"));
  try {
    fs.mkdirSync(path.join(directory, "src/deep"), { recursive: true });
    fs.mkdirSync(path.join(directory, "node_modules"));
    for (const file of ["Dockerfile", "a.txt", "src/b.ts", "src/deep/c.ts", "node_modules/x.js"]) {
      fs.writeFileSync(path.join(directory, file), "");
    }
    fs.writeFileSync(path.join(directory, ".dockerignore"), "*\n!src\nsrc/deep\n");
    expect(contextFiles(directory, "Dockerfile")).toEqual([
      ".dockerignore",
      "Dockerfile",
      "src/b.ts",
    ]);
  } finally {
    fs.rmSync(directory, { recursive: true });
  }
});

describe("the connection over SSH", () => {
  test("is the command that Docker's own client runs", () => {
    expect(sshArguments(new URL("ssh://root@10.0.0.2:2222"), ["-o", "A=b"])).toEqual([
      ...["-o", "A=b", "-l", "root", "-p", "2222", "--", "10.0.0.2"],
      ...["docker", "system", "dial-stdio"],
    ]);
  });

  let directory: string;
  const { PATH } = process.env;
  beforeEach(() => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), "ssh-"));
    process.env.PATH = `${directory}${path.delimiter}${PATH}`;
  });
  afterEach(() => {
    process.env.PATH = PATH;
    fs.rmSync(directory, { recursive: true });
  });
  const ssh = (script: string): void =>
    fs.writeFileSync(path.join(directory, "ssh"), `#!/usr/bin/env node\n${script}`, {
      mode: 0o755,
    });
  const client = (): DockerClient =>
    new DockerClient({ host: "ssh://root@node", sshOpts: '["-q"]' }, new AbortController().signal);

  test("carries requests, and keeps the connection for the next one", async () => {
    const socket = path.join(directory, "engine.sock");
    let connections = 0;
    const engine = http.createServer((request, response) =>
      response
        .setHeader("content-type", "application/json")
        .end(JSON.stringify({ url: request.url })),
    );
    engine.on("connection", () => connections++);
    await new Promise<void>((resolve) => engine.listen(socket, resolve));
    ssh(
      `const c = require("net").connect(${JSON.stringify(socket)}); process.stdin.pipe(c).pipe(process.stdout);`,
    );
    try {
      const docker = await client().engine();
      expect(await docker.info()).toEqual({ url: "/info" });
      expect(connections).toBe(1);
      (docker.modem as unknown as { agent: http.Agent }).agent.destroy();
    } finally {
      engine.closeAllConnections();
      await new Promise((resolve) => engine.close(resolve));
    }
  });

  test("that fails says what ssh said", async () => {
    ssh('console.error("Host key verification failed."); process.exit(255);');
    await expect(client().engine()).rejects.toThrow(
      /error pinging Docker server at ssh:\/\/root@node: ssh -q -l root -- node .*exit code 255\):\nHost key verification failed\./,
    );
  });

  test("is not made before it is needed, so that a preview works without", () => {
    ssh("process.exit(1)");
    expect(() => client()).not.toThrow();
  });
});

test("credentials are those of the image's registry", () => {
  const registryAuth = JSON.stringify([
    { address: "registry.example:5000", username: "u", password: "p" },
    {
      address: "https://index.docker.io/v1/",
      configFileContent: JSON.stringify({
        auths: {
          "https://index.docker.io/v1/": { auth: Buffer.from("hub:pw:x").toString("base64") },
        },
      }),
    },
  ]);
  const client = new DockerClient({ registryAuth }, new AbortController().signal);
  expect(client.authOf("registry.example:5000/app:1")).toMatchObject({
    username: "u",
    password: "p",
  });
  expect(client.authOf("node:22")).toMatchObject({ username: "hub", password: "pw:x" });
  expect(client.authOf("ghcr.io/a/b")).toBeUndefined();
});
