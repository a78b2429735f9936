import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { hasEngine, Laboratory, run } from "./stack";

/**
 * A manager of a disposable swarm, e.g. `ssh://root@10.0.0.2`, and options for ssh (JSON list).
 * The engine there needs the image `TEST_IMAGE`, which has `sleep` and `sh`.
 */
const host = process.env.ARCHIPELAGO_TEST_SWARM;
const sshOpts = JSON.parse(process.env.ARCHIPELAGO_TEST_SWARM_SSH_OPTS ?? "[]") as string[];
const image = process.env.ARCHIPELAGO_TEST_SWARM_IMAGE ?? "";

if (!host || !hasEngine) {
  console.log(
    "skipped: ARCHIPELAGO_TEST_SWARM names no disposable swarm, or no Pulumi engine is set up",
  );
}

interface Settings {
  readonly replicas?: number;
  readonly config?: string;
  readonly command?: string;
  readonly timeout?: string;
}

const program = (context: string, settings: Settings) => () => {
  const provider = new docker.Provider("swarm", { host: host ?? "", sshOpts });
  const options = { provider };
  const network = new docker.Network(
    "backend",
    { driver: "overlay", attachable: true, labels: [{ label: "a", value: "b" }] },
    options,
  );
  const secret = new docker.Secret(
    "password",
    { data: pulumi.secret(Buffer.from("hunter2").toString("base64")) },
    options,
  );
  const config = new docker.ServiceConfig(
    "settings",
    { dataRaw: settings.config ?? "a=1" },
    options,
  );
  const built = new docker.RemoteImage(
    "app",
    {
      name: "provider-test:1",
      build: { context, buildArgs: { GREETING: "hello" }, tags: ["provider-test:latest"] },
      triggers: { context: "1" },
    },
    options,
  );
  const service = new docker.Service(
    "web",
    {
      name: "web",
      labels: [{ label: "tier", value: "web" }],
      mode: { replicated: { replicas: settings.replicas ?? 1 } },
      taskSpec: {
        containerSpec: {
          image: built.name,
          commands: ["sh", "-c", settings.command ?? "sleep 1000"],
          env: { B: "2", A: "x=y" },
          stopGracePeriod: "1s",
          secrets: [{ secretId: secret.id, secretName: secret.name, fileName: "/run/secrets/p" }],
          configs: [{ configId: config.id, configName: config.name, fileName: "/settings" }],
          mounts: [{ type: "volume", source: "data", target: "/data" }],
          healthcheck: { tests: ["CMD", "true"], interval: "1s" },
        },
        networksAdvanceds: [{ id: network.id, aliases: ["web"] }],
        resources: { limits: { memoryBytes: 64 * 1024 * 1024 } },
        restartPolicy: { condition: "any", delay: "1s", window: "5s", maxAttempts: 3 },
        logDriver: { name: "json-file", options: { "max-size": "1m" } },
      },
      endpointSpec: {
        mode: "dnsrr",
        ports: [{ targetPort: 80, publishedPort: 8080, publishMode: "host" }],
      },
      updateConfig: { parallelism: 2, order: "stop-first", failureAction: "rollback" },
      convergeConfig: { timeout: settings.timeout ?? "2m" },
    },
    options,
  );
  return Promise.resolve({ service: service.id, secret: secret.data, image: built.imageId });
};

(host && hasEngine ? describe : describe.skip)("the docker stand-in on the real engine", () => {
  jest.setTimeout(300_000);
  let laboratory: Laboratory;
  let context: string;
  beforeAll(async () => {
    laboratory = await Laboratory.open();
    context = fs.mkdtempSync(path.join(os.tmpdir(), "archipelago-context-"));
    fs.writeFileSync(
      path.join(context, "Dockerfile"),
      `FROM ${image}\nARG GREETING\nCOPY . /app\nRUN test ! -e /app/secret.txt && echo $GREETING > /greeting\n`,
    );
    fs.writeFileSync(path.join(context, ".dockerignore"), "secret.txt\n");
    fs.writeFileSync(path.join(context, "secret.txt"), "not for the image");
    fs.writeFileSync(path.join(context, "app.txt"), "app");
  });
  afterAll(async () => {
    await laboratory.close();
    fs.rmSync(context, { recursive: true, force: true });
  });

  const onManager = (...command: string[]): string => {
    const { hostname, username } = new URL(host ?? "");
    return execFileSync("ssh", [...sshOpts, "-l", username, hostname, "docker", ...command], {
      encoding: "utf8",
    }).trim();
  };

  test("services come up over SSH, stay, show what was changed by hand, and go away", async () => {
    const stack = await laboratory.stack("docker", program(context, {}));
    expect(await run(stack, "preview")).toHaveLength(5);
    await run(stack, "up");
    expect((await stack.outputs()).secret).toMatchObject({ secret: true });
    expect(await run(stack, "preview", { expectNoChanges: true })).toEqual([]);
    await run(stack, "refresh", { expectNoChanges: true });

    onManager("service", "scale", "--detach", "web=2");
    await run(stack, "refresh");
    expect(await run(stack, "up")).toEqual(["update Service"]);
    expect(onManager("service", "inspect", "-f", "{{.Spec.Mode.Replicated.Replicas}}", "web")).toBe(
      "1",
    );

    onManager("service", "rm", "web");
    await run(stack, "refresh");
    expect(await run(stack, "up")).toEqual(["create Service"]);

    stack.workspace.program = program(context, { config: "a=2" });
    expect(await run(stack, "up")).toEqual([
      "create-replacement ServiceConfig",
      "delete-replaced ServiceConfig",
      "replace ServiceConfig",
      "update Service",
    ]);

    stack.workspace.program = program(context, { config: "a=2", command: "exit 1", timeout: "1m" });
    await expect(run(stack, "up")).rejects.toThrow(
      /service (rollback completed|update paused)|did not converge/,
    );
    stack.workspace.program = program(context, { config: "a=2" });
    await run(stack, "up");
    expect(await run(stack, "preview", { expectNoChanges: true })).toEqual([]);
    await run(stack, "destroy");
    expect(onManager("service", "ls", "-q")).toBe("");
  });
});
