import { z } from "zod";
import { choice, environmentValue, integer, list, mapping, named, number, text } from "../fields";
import { edgeOptions } from "./edge";
import { schedule } from "./schedule";

/** Path prefix, with an optional host before it: `/`, `/api`, `admin.example.com/`. */
const ROUTE = /^([a-z0-9]([a-z0-9.-]*[a-z0-9])?)?\/[A-Za-z0-9._~/-]*$/;
const ABSOLUTE_PATH = /^(\/[A-Za-z0-9._-]+)+$/;

const health = mapping(
  {
    path: text(
      /^\/[\x21-\x7e]*$/,
      "a path that starts with /",
      "Answers 2xx or 3xx while the service can take requests.",
    ).default("/"),
    intervalSeconds: integer(1, 300, "Time between two checks.").default(5),
    timeoutSeconds: integer(1, 60, "How long an answer may take.").default(3),
    retries: integer(1, 10, "Failed checks in a row that make a task unhealthy.").default(3),
    startPeriodSeconds: integer(
      0,
      600,
      "Grace after the start, in which failed checks do not count.",
    ).default(60),
  },
  "How swarm and the edge proxy see that a task is well.",
);

export const service = mapping(
  {
    image: text(
      /^[a-z0-9][A-Za-z0-9._/:@-]*$/,
      "an image reference such as ghcr.io/acme/web@sha256:…",
      "Image to run. Pin a digest: a tag that moves is not seen.",
    ).optional(),
    build: mapping(
      {
        context: text(
          /^[^/~].*$/,
          "a directory relative to the checkout",
          "Directory that is sent to the node and built there.",
        ),
        dockerfile: text(
          /^[^/~].*$/,
          "a path relative to the context",
          "Dockerfile, relative to the context.",
        ).default("Dockerfile"),
      },
      "Build the image instead of pulling it: once, pushed to the `registry`, or without one on each node.",
    ).optional(),
    port: integer(
      1,
      65_535,
      "Port that the service listens on inside its container. Without one it is a worker and gets no health check.",
    ).optional(),
    routes: list(
      text(
        ROUTE,
        "a path prefix such as /api, or a host and a path such as admin.example.com/",
        "Path prefix, with an optional host before it.",
      ),
      "Requests that the edge proxy sends here; the longest prefix wins. Default: none (reached by other services only).",
    ).default([]),
    ...edgeOptions,
    health: health.prefault({}),
    replicas: integer(1, 100, "Tasks of this service.").default(1),
    entrypoint: list(
      z.string({ error: "must be text" }),
      "Program to start instead of the image's entrypoint; the image's own command is then left out, too.",
      1,
    ).optional(),
    command: list(
      z.string({ error: "must be text" }),
      "Arguments for the entrypoint, instead of the image's.",
      1,
    ).optional(),
    release: list(
      z.string({ error: "must be text" }),
      "Command that runs exactly once before each deploy, such as a schema migration. If it fails, the deploy stops.",
      1,
    ).optional(),
    environment: named(
      /^[A-Za-z_][A-Za-z0-9_]*$/,
      "letters, digits and underscores",
      environmentValue(),
      "Environment variables. Not for secrets.",
    ).default({}),
    secrets: named(
      /^[A-Za-z0-9]([A-Za-z0-9_.-]{0,62}[A-Za-z0-9])?$/,
      "1 to 64 letters, digits, dots, underscores and hyphens",
      z
        .string({ error: "must be text" })
        .min(1, { error: "must not be empty" })
        .meta({
          type: ["string", "object"],
          description: "Encrypted by `pulumi config set --secret`.",
        }),
      "Secrets; each appears as the file /run/secrets/<name>.",
    ).default({}),
    database: choice(
      ["shared", "own", "none"],
      "`shared`: the database `app`, with the other services that share it. `own`: a database and a user of its own, named for the service. `none`: no database. The URL is the file `/run/secrets/database_url`.",
    ).default("shared"),
    schedule: schedule.optional(),
    volume: text(
      ABSOLUTE_PATH,
      "an absolute path such as /data",
      "Directory in the container that is kept on the Volume, at the node that has it. Makes the service stop before its successor starts.",
    ).optional(),
    resources: mapping(
      {
        cpus: number(0.05, 64, "Most CPU a task may use. Default: no limit.").optional(),
        memoryMib: integer(16, 262_144, "Most memory a task may use, in MiB.").default(512),
      },
      "Limits of one task.",
    ).prefault({}),
  },
  "A service of the app.",
);
