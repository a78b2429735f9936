import { z } from "zod";
import type { SshKeySource } from "./ssh-keys";
import {
  choice,
  environmentValue,
  flag,
  integer,
  list,
  mapping,
  named,
  number,
  text,
} from "./fields";

/** Path prefix, with an optional host before it: `/`, `/api`, `admin.example.com/`. */
const ROUTE = /^([a-z0-9]([a-z0-9.-]*[a-z0-9])?)?\/[A-Za-z0-9._~/-]*$/;
const HOST_NAME = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$/;
const NAME = /^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$/;
const NAME_RULE = "1 to 30 lower-case letters, digits and hyphens, a letter first";
const CERTIFICATES = /^-----BEGIN CERTIFICATE-----\s[\s\S]+-----END CERTIFICATE-----\s*$/;
const ABSOLUTE_PATH = /^(\/[A-Za-z0-9._-]+)+$/;

/** The engine by itself is enough: `database: none`. */
const database = z
  .preprocess(
    (value) => (typeof value === "string" ? { engine: value } : value),
    mapping(
      {
        engine: choice(
          ["container", "none"],
          "`container`: PostgreSQL on the node, its files on the Volume, behind PgBouncer. `none`: no database; a service keeps its own files with `volume`.",
        ).default("container"),
        version: choice(["15"], "PostgreSQL's major version.").default("15"),
        volumeGib: integer(
          1,
          16_384,
          "Size in GiB of the Volume that holds the database and the services' own files. It can grow in place and never shrinks.",
        ).default(10),
      },
      "The app's database.",
    ),
  )
  .meta({ type: ["string", "object"] });

/** The name by itself is enough: `domain: example.com`. */
const domain = z
  .preprocess(
    (value) => (typeof value === "string" ? { name: value } : value),
    mapping(
      {
        name: text(
          HOST_NAME,
          "a lower-case host name such as app.example.com",
          "Where the app is served, over HTTPS.",
        ),
        zone: text(
          HOST_NAME,
          "a lower-case domain such as example.com",
          "The DNS zone that holds the name. Default: the name itself.",
        ).optional(),
        dns: choice(
          ["create", "existing", "none"],
          "`create`: this stack makes the zone. `existing`: the zone is in the account, this stack adds its record. `none`: you point the name at the address yourself.",
        ).default("create"),
        email: text(
          /^[^\s@]+@[^\s@]+$/,
          "an e-mail address",
          "Given to the certificate authority as contact.",
        ).optional(),
        acmeDirectory: text(
          /^https:\/\/\S+$/,
          "an https URL",
          "ACME directory. Default: Let's Encrypt.",
        ).optional(),
        acmeCa: text(
          CERTIFICATES,
          "certificates in PEM",
          "The authority that signed the ACME server's own certificate, where it is a private one. Default: the public roots.",
        ).optional(),
        alarmWebhook: text(
          /^https?:\/\/\S+$/,
          "a URL",
          "Gets a POST when a certificate cannot be renewed, once a day. Usually a secret.",
        )
          .meta({ type: ["string", "object"] })
          .optional(),
      },
      "The name the app is served at. Certificates come from an ACME authority (Let's Encrypt) and renew themselves.",
    ),
  )
  .meta({ type: ["string", "object"] });

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

const service = mapping(
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
      "Build the image on the node instead of pulling it.",
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
    health: health.prefault({}),
    replicas: integer(1, 100, "Tasks of this service.").default(1),
    command: list(
      z.string({ error: "must be text" }),
      "Arguments for the image's entrypoint.",
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
    volume: text(
      ABSOLUTE_PATH,
      "an absolute path such as /data",
      "Directory in the container that is kept on the node's Volume. Makes the service stop before its successor starts.",
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

const node = mapping(
  {
    size: text(
      /^[a-z0-9-]+$/,
      "a Droplet size slug such as s-2vcpu-4gb",
      "Droplet size. A change resizes in place: about a minute of power-off, the disk untouched.",
    ).default("s-2vcpu-4gb"),
  },
  "A Droplet.",
);

/** The number by itself is enough: `managers: 3`. */
const pool = (counts: readonly number[] | undefined, least: number, description: string) =>
  z
    .preprocess(
      (value) => (typeof value === "object" ? value : { count: value }),
      mapping(
        {
          count: integer(least, 100, "How many.").refine(
            (count) => counts?.includes(count) ?? true,
            { error: `must be ${counts?.slice(0, -1).join(", ")} or ${counts?.at(-1)}` },
          ),
          size: text(
            /^[a-z0-9-]+$/,
            "a Droplet size slug such as s-2vcpu-4gb",
            "Droplet size. A change replaces the nodes, new ones first.",
          ).default("s-2vcpu-4gb"),
        },
        description,
      ),
    )
    .meta({ type: ["integer", "object"] });

/**
 * What a stack file may say under `archipelago:`. This is the only definition: the checks, the
 * defaults, the types and the published JSON Schema all come from it.
 */
export const stackSchema = mapping(
  {
    topology: choice(
      ["single-node", "swarm"],
      "What is built. Default: the stack's name. `single-node`: one Droplet. `swarm`: managers and workers behind a Load Balancer. `ha` is not built yet.",
    ),
    region: text(
      /^[a-z]{2,4}[0-9]$/,
      "a DigitalOcean region slug such as fra1",
      "DigitalOcean region. A stack stays in its region.",
    ),
    vpcCidr: text(
      /^\d+\.\d+\.\d+\.\d+\/\d+$/,
      "an IPv4 CIDR such as 10.64.0.0/20",
      "Range of the VPC, /16 to /28. Default: a /20 in 10.64.0.0/11 chosen by the stack's name. Cannot change later.",
    ).optional(),
    nodes: named(
      NAME,
      NAME_RULE,
      node,
      "The Droplet of `single-node`, by name. Default: manager-1, s-2vcpu-4gb.",
    ).optional(),
    managers: pool(
      [1, 3, 5, 7],
      1,
      "Managers of `swarm`: an odd number, of which more than half must be well for any change. They run the app, too. Default: 3.",
    ).optional(),
    workers: pool(undefined, 0, "Workers of `swarm`: they run the app. Default: 2.").optional(),
    image: text(
      /^[a-z0-9.-]+$/,
      "an image slug such as debian-12-x64",
      "Image of new Droplets: Debian or Ubuntu. The default is the system that local machines run, and Docker comes from its packages: what was rehearsed is what runs.",
    ).default("debian-12-x64"),
    sshKeys: list(
      text(
        /^\S.*$/,
        "a public key, a path to one, or the name or fingerprint of a key in the account",
        "An OpenSSH public key, a file that holds one, or the name or fingerprint of a key in the account.",
      ),
      "Who may log in to the nodes. Default: the public half of $ARCHIPELAGO_SSH_KEY or ~/.ssh/id_ed25519. A change reaches running nodes without a rebuild.",
      1,
    ).optional(),
    sshFrom: z
      .preprocess(
        (value) => (typeof value === "string" ? [value] : value),
        list(
          text(
            /^(me|[0-9a-f.:]+\/\d+)$/i,
            "me or a CIDR such as 203.0.113.7/32",
            "`me` or a CIDR.",
          ),
          "Addresses that may reach SSH; `me` looks up your own.",
          1,
        ),
      )
      .meta({ type: ["string", "array"], items: { type: "string" } })
      .default(["me"]),
    domain: domain.optional(),
    ingress: choice(
      ["floating-ip", "load-balancer"],
      "How requests come in. `floating-ip`, for `single-node`: a Reserved IP that outlives the node. `load-balancer`, for `swarm`: a DigitalOcean Load Balancer. Default: the topology's.",
    ).optional(),
    floatingIp: mapping(
      {
        existing: text(
          /^\d+\.\d+\.\d+\.\d+$/,
          "an IPv4 address",
          "A Reserved IP of the account to use instead of a new one. It is never deleted.",
        ).optional(),
      },
      "The address of the app.",
    ).prefault({}),
    database: database.prefault({}),
    services: named(NAME, NAME_RULE, service, "The app: one or more services."),
    protect: flag(
      "Refuse to delete Droplet, Volume, Reserved IP and DNS zone. Always on in the cloud; locally off unless set.",
    ).optional(),
  },
  "An Archipelago stack.",
);

export type StackFile = z.output<typeof stackSchema>;
export type ServiceConfig = StackFile["services"][string];
export type DomainConfig = NonNullable<StackFile["domain"]>;
export type DatabaseConfig = StackFile["database"];
export type HealthConfig = ServiceConfig["health"];

/** One node of a stack. */
export interface FleetNode {
  readonly size: string;
  readonly role: "manager" | "worker";
}

/** A whole, valid configuration: the stack file with every default applied, and where it runs. */
export interface Config extends Omit<
  StackFile,
  "protect" | "vpcCidr" | "sshKeys" | "nodes" | "managers" | "workers" | "ingress"
> {
  /** Every node by its name: `manager-1`, `worker-2`. Managers come first. */
  readonly nodes: Readonly<Record<string, FleetNode>>;
  /** Name of the Pulumi stack: the environment. Prefix of every name in the account. */
  readonly stack: string;
  readonly vpcCidr: string;
  readonly sshKeys: readonly SshKeySource[];
  readonly protect: boolean;
  /** `simulated`: Droplets without a body, so nothing that needs a running machine is declared. */
  readonly machines: "real" | "simulated";
}
