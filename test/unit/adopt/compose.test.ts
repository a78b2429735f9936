import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { describeFault } from "../../../infra/faults";
import { readStackFile } from "../../../infra/stack-file";
import { adoptCompose } from "../../../scripts/adopt/compose";
import { type Conversion, convert } from "../../../scripts/adopt/compose/convert";
import { dataCommand } from "../../../scripts/adopt/compose/data-command";
import { loadProject } from "../../../scripts/adopt/compose/load";

const root = path.resolve(__dirname, "../../..");
const fixtures = path.join(__dirname, "fixtures");
const env = { HOME: os.homedir() };

function adopted(file: string, options: { profiles?: string[] } = {}): Conversion {
  const project = loadProject([path.join(fixtures, file)], { env, ...options });
  return convert(project, { root, region: "fra1" });
}

const servicesOf = ({ config }: Conversion) =>
  config.services as Record<string, Record<string, unknown>>;
const said = ({ notes }: Conversion) =>
  notes.map(({ kind, service, key }) => [kind, service, key].filter(Boolean).join(" "));
const faultsOf = ({ config }: Conversion) =>
  readStackFile(config, { stack: "adopted", env: { ARCHIPELAGO_LOCAL: "1" }, root })
    .faults.map(describeFault)
    .filter((fault) => !fault.startsWith("archipelago:sshKeys"));

test.each([
  "rails/docker-compose.yml",
  "django/compose.yaml",
  "ghost/docker-compose.yml",
  "gitea/docker-compose.yml",
])("the program takes what comes of %s", (file) => {
  expect(faultsOf(adopted(file))).toEqual([]);
});

describe("a Rails app with PostgreSQL, Redis, Sidekiq and nginx", () => {
  const rails = adopted("rails/docker-compose.yml");
  const { web, sidekiq } = servicesOf(rails);

  test("becomes its own services; the database, the cache and the proxy are the stack's", () => {
    expect(Object.keys(servicesOf(rails))).toEqual(["web", "sidekiq"]);
    expect(rails.config).toMatchObject({ database: "container", cache: "container" });
    expect(rails.postgres).toMatchObject({ service: "db", login: { database: "blog_production" } });
  });

  test("keeps port, route, health check, limits and files of the service behind nginx", () => {
    expect(web).toMatchObject({
      build: { context: "test/unit/adopt/fixtures/rails" },
      command: ["bundle", "exec", "puma", "-C", "config/puma.rb"],
      port: 3000,
      routes: ["/"],
      health: { path: "/up", intervalSeconds: 10, startPeriodSeconds: 90 },
      resources: { cpus: 1.5, memoryMib: 768 },
      volume: "/rails/storage",
      environment: { RAILS_ENV: "production", SMTP_ADDRESS: "smtp.example.com" },
    });
    expect(sidekiq).not.toHaveProperty("port");
    expect(sidekiq?.command).toEqual([
      "bundle",
      "exec",
      "sidekiq",
      "-q",
      "default",
      "-q",
      "mailers",
    ]);
  });

  test("finds its variables as before: the start command reads them from files, the release too", () => {
    const script = (web?.entrypoint as string[])[2];
    expect(script).toContain('export DATABASE_URL="$(cat "$DATABASE_URL_FILE")"');
    expect(script).toContain('export REDIS_URL="redis://${url#*://}/1"');
    expect(script).toContain('export SECRET_KEY_BASE="$(cat /run/secrets/SECRET_KEY_BASE)"');
    expect((web?.entrypoint as string[]).at(-1)).toBe("/rails/bin/docker-entrypoint");
    expect(web?.release).toEqual([
      "/bin/sh",
      "-c",
      script,
      "sh",
      "bundle",
      "exec",
      "rails",
      "db:prepare",
    ]);
  });

  test("shows no secret anywhere, and names those to set", () => {
    expect(JSON.stringify({ ...rails, postgres: undefined })).not.toMatch(
      /s3cret|0123456789abcdef|fedcba/,
    );
    expect(rails.secrets.map(({ service, name }) => `${service}.${name}`)).toEqual([
      "web.SECRET_KEY_BASE",
      "web.RAILS_MASTER_KEY",
      "sidekiq.SECRET_KEY_BASE",
      "sidekiq.RAILS_MASTER_KEY",
    ]);
  });

  test("names every key that is lost", () => {
    expect(said(rails).filter((line) => line.startsWith("lost"))).toEqual([
      "lost web build.args",
      "lost web ulimits",
      "lost web deploy.replicas",
      "lost sidekiq build.args",
      "lost sidekiq stop_grace_period",
    ]);
  });
});

describe("a Django app with Celery, PostGIS and a broker that keeps its queue", () => {
  const django = adopted("django/compose.yaml");
  const services = servicesOf(django);

  test("has the broker stay a service with a volume: a cache would forget the queue", () => {
    expect(services.broker).toMatchObject({ image: "redis:7", volume: "/data", database: "none" });
    expect(django.config).not.toHaveProperty("cache");
    expect(services.web?.environment).toMatchObject({ CELERY_BROKER_URL: "redis://broker:6379/0" });
  });

  test("is told host, port, user and name of the database apart, and its password by the start command", () => {
    expect(services.web?.environment).toMatchObject({
      DB_HOST: "pgbouncer",
      DB_PORT: "6432",
      DB_NAME: "app",
      DB_USER: "app",
    });
    expect((services.web?.entrypoint as string[])[2]).toMatch(
      /export DB_PASSWORD="\$\(sed .*"\$DATABASE_URL_FILE"\)"/,
    );
  });

  test("keeps the worker without a port, under a name that a stack file allows", () => {
    expect(services["celery-worker"]).toMatchObject({ replicas: 2 });
    expect(services["celery-worker"]).not.toHaveProperty("port");
    expect(services).not.toHaveProperty("celery_worker");
  });

  test("reads the override file beside it, and says what cannot be: extensions, a second port, shared files", () => {
    expect(said(django)).toEqual(
      expect.arrayContaining([
        "lost postgres image",
        "lost web ports",
        "lost celery_worker volumes",
        "changed celery_flower profiles",
      ]),
    );
    expect(django.secrets).toContainEqual({ service: "web", name: "SENTRY_DSN", known: true });
  });

  test("brings in a service whose profile is asked for", () => {
    expect(
      Object.keys(servicesOf(adopted("django/compose.yaml", { profiles: ["debug"] }))),
    ).toContain("celery-flower");
  });
});

test.each([
  [
    "rails/docker-compose.yml",
    "npm run adopt -- data blog --from root@<old-server> --project rails --volume storage=web --postgres db --rehearse",
  ],
  [
    "gitea/docker-compose.yml",
    "npm run adopt -- data blog --from root@<old-server>:<directory of the compose file> --project gitea --volume ./gitea=server --rehearse",
  ],
])("%s: the command that moves its data is told whole", (file, command) => {
  const project = loadProject([path.join(fixtures, file)], { env });
  expect(dataCommand(adopted(file), project, "blog")).toBe(command);
});

test("a Ghost with a volume is one service without a database, and Watchtower is left out", () => {
  const ghost = adopted("ghost/docker-compose.yml");
  expect(ghost.config).toMatchObject({
    database: "none",
    services: {
      ghost: {
        image: "ghost:5-alpine",
        port: 2368,
        routes: ["/"],
        volume: "/var/lib/ghost/content",
        environment: {
          url: "https://blog.example.com",
          mail__options__auth__pass_FILE: "/run/secrets/mail__options__auth__pass",
        },
      },
    },
  });
  expect(said(ghost)).toContain("changed watchtower services");
  expect(ghost.data).toEqual([
    { service: "ghost", source: "ghost", target: "/var/lib/ghost/content" },
  ]);
});

test("a Gitea keeps its directory, and is told that SSH stays closed", () => {
  const gitea = adopted("gitea/docker-compose.yml");
  expect(servicesOf(gitea).server).toMatchObject({
    port: 3000,
    volume: "/data",
    environment: { GITEA__security__SECRET_KEY__FILE: "/run/secrets/GITEA__security__SECRET_KEY" },
  });
  expect(said(gitea)).toEqual(
    expect.arrayContaining(["lost server ports", "lost server user", "lost server cap_add"]),
  );
});

describe("the command", () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "archipelago-adopt-"));
  const out = path.join(dir, "Pulumi.blog.yaml");
  let printed = "";
  beforeEach(() => {
    printed = "";
    jest.spyOn(process.stdout, "write").mockImplementation((text) => {
      printed += String(text);
      return true;
    });
  });
  afterEach(() => jest.restoreAllMocks());
  afterAll(() => fs.rmSync(dir, { recursive: true }));
  const ghost = path.join(fixtures, "ghost/docker-compose.yml");

  test("writes nothing with --dry-run, then the file, and not over one that is there", () => {
    expect(adoptCompose([ghost], { region: "fra1", out, dryRun: true })).toBe(0);
    expect(fs.existsSync(out)).toBe(false);
    expect(adoptCompose([ghost], { region: "fra1", out })).toBe(0);
    expect(fs.readFileSync(out, "utf8")).toContain("archipelago:services:");
    expect(printed).toContain("npm start -- blog");
    expect(() => adoptCompose([ghost], { region: "fra1", out })).toThrow("--force");
  });

  test("ends with 1 when nothing can be used", () => {
    const compose = path.join(dir, "compose.yaml");
    fs.writeFileSync(compose, "services: { db: { image: postgres:15 } }");
    expect(adoptCompose([compose], { region: "fra1", dryRun: true })).toBe(1);
    expect(printed).toContain("Nothing in it can be used");
  });

  test("refuses a build outside the checkout, from where images are built, and says what to do", () => {
    const compose = path.join(dir, "compose.yaml");
    fs.writeFileSync(compose, "services: { web: { build: ., ports: [3000] } }");
    expect(adoptCompose([compose], { region: "fra1", dryRun: true, json: true })).toBe(1);
    const { notes } = JSON.parse(printed) as { notes: { key: string; todo?: string }[] };
    expect(notes.find(({ key }) => key === "build")?.todo).toMatch(/git submodule add/);
  });
});
