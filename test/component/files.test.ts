import { declare, short } from "./declare";
import { type Declared, only } from "./recorder";

// It would make a directory in the home of whoever runs the tests.
jest.mock("../../components/ssh-directory", () => ({
  prepareSshDirectory: () => undefined,
}));

const BUCKET = "digitalocean:index/spacesBucket:SpacesBucket";
const KEY = "digitalocean:index/spacesKey:SpacesKey";

const services = {
  web: { image: "acme/web:1", port: 3000, routes: ["/"], release: ["migrate"] },
  nightly: { image: "acme/web:1", schedule: "0 3 * * *", command: ["report"] },
};
const variables = {
  FILES_ENDPOINT: "https://fra1.digitaloceanspaces.com",
  FILES_REGION: "us-east-1",
  FILES_BUCKET: "files-1234567",
  FILES_ACCESS_KEY: "DO00APP",
  FILES_SECRET_KEY_FILE: "/run/secrets/files_secret_key",
};
const containerOf = (declared: readonly Declared[], name: string) => {
  const { taskSpec } = only(declared, "docker:index/service:Service", name).inputs as {
    readonly taskSpec: {
      readonly containerSpec: {
        readonly env: Record<string, string>;
        readonly secrets: readonly { readonly fileName: string }[];
      };
    };
  };
  return taskSpec.containerSpec;
};
/** Of a config, or of a secret as the engine sees it. */
const text = (content: unknown) => {
  const given = content as { readonly value: string } | string;
  return Buffer.from(typeof given === "string" ? given : given.value, "base64").toString();
};

describe.each(["single-node", "swarm", "ha"] as const)("files in %s", (topology) => {
  let declared: Declared[];
  beforeAll(async () => {
    declared = await declare(topology, { services, files: true });
  });

  test("are a private bucket that is protected, and never deleted with what is in it", () => {
    const { inputs, options } = only(declared, BUCKET, "files");
    expect(inputs).toEqual({
      region: "fra1",
      acl: "private",
      forceDestroy: false,
      versioning: { enabled: false },
    });
    expect(options).toMatchObject({ protect: true, replaceOnChanges: ["name"] });
  });

  test("come with a key that reads and writes in that bucket, and may do nothing else", () => {
    const { inputs } = only(declared, KEY, "files");
    expect(inputs.grants).toEqual([{ bucket: "files-1234567", permission: "readwrite" }]);
  });

  test("are known to every service and its release command, the secret as a file alone", () => {
    const { env, secrets } = containerOf(declared, "web");
    expect(env).toMatchObject(variables);
    expect(secrets.map(({ fileName }) => fileName)).toContain("files_secret_key");
    expect(only(declared, "swarm:index:Job", "web-release").inputs.env).toMatchObject(variables);
    const secret = only(declared, "docker:index/secret:Secret", "web-files_secret_key");
    expect(text(secret.inputs.data)).toBe("spaces-secret");
    const others = declared.filter(({ type }) => type !== "docker:index/secret:Secret");
    expect(JSON.stringify(others.map(({ inputs }) => inputs))).not.toContain("spaces-secret");
  });

  test("are known to a job that is scheduled", () => {
    const jobs = only(declared, "docker:index/serviceConfig:ServiceConfig", "scheduler-jobs");
    expect(text(jobs.inputs.data)).toContain("FILES_BUCKET=files-1234567");
  });

  test("show on the stack's page in the control panel", () => {
    const { inputs } = only(
      declared,
      "digitalocean:index/projectResources:ProjectResources",
      "project",
    );
    expect(inputs.resources).toContain("do:space:files-1234567");
  });
});

test("the bucket is as the stack file says", async () => {
  const files = { name: "acme-uploads", region: "nyc3", versioning: true };
  const declared = await declare("single-node", { services, files });
  expect(only(declared, BUCKET, "files").inputs).toMatchObject({
    name: "acme-uploads",
    region: "nyc3",
    versioning: { enabled: true },
  });
});

test("locally the bucket goes with the stack, and services are led to the local server", async () => {
  const env = { ARCHIPELAGO_LOCAL: "1", ARCHIPELAGO_FILES_ENDPOINT: "http://169.254.169.253:7070" };
  const declared = await declare("single-node", { services, files: true }, { env });
  const { inputs, options } = only(declared, BUCKET, "files");
  expect(inputs.forceDestroy).toBe(true);
  expect(options.protect).toBe(false);
  expect(containerOf(declared, "web").env.FILES_ENDPOINT).toBe("http://169.254.169.253:7070");
});

test("there is neither bucket nor key without files, nor where machines are simulated", async () => {
  const simulated = { env: { ARCHIPELAGO_LOCAL: "1", ARCHIPELAGO_MACHINES: "simulated" } };
  for (const declared of [
    await declare("single-node", { services }),
    await declare("single-node", { services, files: false }),
    await declare("single-node", { services, files: true }, simulated),
  ]) {
    expect(declared.map(short).filter((one) => one.startsWith("Spaces"))).toEqual([]);
  }
});
