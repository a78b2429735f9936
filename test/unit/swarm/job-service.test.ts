import fc from "fast-check";
import { jobServiceSpec } from "../../../providers/swarm/docker/job-service";
import { jobServiceName, type JobInputs } from "../../../providers/swarm/resources/job";

const job: JobInputs = {
  connection: { host: "203.0.113.5", hostKey: "ssh-ed25519 AAAA" },
  name: "web-release",
  image: "web:1",
  command: ["node", "migrate.js"],
  env: { A: "1", B: "2" },
};

describe("the name of a job's service", () => {
  test("is the same whatever order the inputs were written in, or a resumed up would run the work twice", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ minLength: 1 }), fc.string()),
        fc.boolean(),
        (env, reverse) => {
          const entries = Object.entries(env);
          const reordered = Object.fromEntries(reverse ? entries.reverse() : entries);
          const rest = Object.fromEntries(Object.entries(job).reverse()) as unknown as JobInputs;
          expect(jobServiceName({ ...rest, env: reordered })).toBe(jobServiceName({ ...job, env }));
        },
      ),
    );
  });

  test("changes with the work", () => {
    const names = [
      job,
      { ...job, image: "web:2" },
      { ...job, command: ["node", "migrate.js", "--all"] },
      { ...job, env: { A: "1", B: "3" } },
      { ...job, networks: ["n1"] },
    ].map(jobServiceName);
    expect(new Set(names).size).toBe(names.length);
  });

  test("does not change with the way there, and fits into a service name", () => {
    const elsewhere = { ...job, connection: { ...job.connection, host: "b" }, timeoutSeconds: 5 };
    expect(jobServiceName(elsewhere)).toBe(jobServiceName(job));
    expect(jobServiceName({ ...job, name: "n".repeat(40) }).length).toBeLessThanOrEqual(63);
  });
});

test("a job is one task that swarm never tries twice", () => {
  expect(
    jobServiceSpec(
      {
        ...job,
        networks: ["net1"],
        secrets: [
          { secretId: "s1", secretName: "db-1", fileName: "database_url", fileMode: 0o400 },
        ],
        mounts: [{ source: "/mnt/data/web", target: "/data" }],
      },
      "web-release-abc",
    ),
  ).toEqual({
    Name: "web-release-abc",
    Labels: { "archipelago.job": "web-release" },
    TaskTemplate: {
      ContainerSpec: {
        Image: "web:1",
        Command: ["node", "migrate.js"],
        Env: ["A=1", "B=2"],
        Secrets: [
          {
            SecretID: "s1",
            SecretName: "db-1",
            File: { Name: "database_url", UID: "0", GID: "0", Mode: 0o400 },
          },
        ],
        Configs: [],
        Mounts: [{ Type: "bind", Source: "/mnt/data/web", Target: "/data", ReadOnly: false }],
      },
      RestartPolicy: { Condition: "none", MaxAttempts: 0 },
      Placement: { Constraints: [] },
      Networks: [{ Target: "net1" }],
    },
    Mode: { ReplicatedJob: { MaxConcurrent: 1, TotalCompletions: 1 } },
  });
});
