import { randomBytes } from "node:crypto";
import type Docker from "dockerode";
import { connectEngine } from "../../local/machines/docker/engine";
import { ensureImages } from "../../local/machines/docker/images";
import { collect } from "../../scripts/adopt/data/host";
import { Source } from "../../scripts/adopt/data/source";
import { Psql } from "../../scripts/migrate/psql";
import { eventually } from "../unit/examples/harness";

const docker = connectEngine();
const project = `adopt${randomBytes(3).toString("hex")}`;
const containers: Docker.Container[] = [];
let source: Source;

/** As `docker compose up` makes it. */
async function service(name: string, image: string, script: string, env: string[] = []) {
  const container = await docker.createContainer({
    name: `${project}-${name}-1`,
    Image: image,
    Entrypoint: ["sh", "-euc", script],
    User: name === "db" ? "postgres" : "",
    Env: env,
    Labels: {
      "com.docker.compose.project": project,
      "com.docker.compose.service": name,
    },
    StopTimeout: 1,
    HostConfig: { Init: true },
  });
  containers.push(container);
  await container.start();
}

beforeAll(async () => {
  const { support } = await ensureImages();
  await docker.createVolume({
    Name: `${project}_storage`,
    Labels: {
      "com.docker.compose.project": project,
      "com.docker.compose.volume": "storage",
    },
  });
  await service("web", support.web, "sleep 600");
  await service(
    "db",
    support.database,
    `bin=$(ls -d /usr/lib/postgresql/*/bin); "$bin/initdb" -D /tmp/data -U blog -A trust >/dev/null
     exec "$bin/postgres" -D /tmp/data -c listen_addresses= -k /var/run/postgresql`,
    ["POSTGRES_USER=blog", "POSTGRES_DB=postgres", "POSTGRES_PASSWORD=unused"],
  );
  source = await Source.open({ from: "/", project }, new AbortController().signal);
}, 600_000);
afterAll(async () => {
  await Promise.all(containers.map((one) => one.remove({ force: true, v: true })));
  await docker.getVolume(`${project}_storage`).remove();
});

test("data of a compose project is found by the names in its file, and its database is asked in its container", async () => {
  expect(await source.directoryOf("storage")).toMatch(
    new RegExp(`/volumes/${project}_storage/_data$`),
  );
  await expect(source.directoryOf("nothing")).rejects.toThrow(
    `There is no directory /nothing on this machine, and no volume of ${project} is called so.`,
  );
  await expect(source.postgres("cache")).rejects.toThrow(
    /No container of cache runs.* db, web|web, db/,
  );
  const database = await source.postgres("db");
  await eventually(async () => {
    const psql = new Psql(database.psql);
    try {
      expect(await psql.value("SELECT current_user;")).toBe("blog");
    } finally {
      await psql.end();
    }
  }, 30);
  const dump = database.dump(["--schema-only"]);
  dump.stdin.end();
  expect(await collect(dump)).toContain("PostgreSQL database dump complete");
}, 60_000);

test("what writes stops, the database's container does not, and all of it starts again", async () => {
  const { container } = await source.postgres("db");
  const running = async () => (await source.containers()).map(({ service: name }) => name).sort();
  const stopped = await source.stop([container ?? ""]);
  expect(stopped.map(({ service: name }) => name)).toEqual(["web"]);
  expect(await running()).toEqual(["db"]);
  await source.start(stopped);
  expect(await running()).toEqual(["db", "web"]);
}, 60_000);
