import { z } from "zod";
import { choice, integer, mapping } from "../fields";
import { databaseSizeSlug } from "./patterns";

/** The engine by itself is enough: `database: none`. */
export const database = z
  .preprocess(
    (value) => (typeof value === "string" ? { engine: value } : value),
    mapping(
      {
        engine: choice(
          ["managed", "container", "none"],
          "`managed`: a DigitalOcean Database Cluster, reached from the VPC only; the default of `swarm` and `ha`. `container`: PostgreSQL on the first node, its files on the Volume; the default of `single-node`. The app reaches either through PgBouncer. `none`: no database; a service keeps its own files with `volume`.",
        ).optional(),
        migrateTo: choice(
          ["managed"],
          "Makes that one as well, beside a `container` that goes on: `npm run migrate -- postgres` then moves the data, and the app with it, and back.",
        ).optional(),
        migratedFrom: choice(
          ["container", "none"],
          "For a `managed` database: what the app had before. `container`: its data has been moved; `up` looks, and removes the container. `none`: there is nothing to move.",
        ).optional(),
        version: choice(["15"], "PostgreSQL's major version.").default("15"),
        volumeGib: integer(
          1,
          16_384,
          "Size in GiB of the Volume that holds the container's database and the services' own files. It can grow in place and never shrinks.",
        ).default(10),
        size: databaseSizeSlug(
          "Size of a managed database node. A change is made without an interruption beyond a failover. Default: db-s-1vcpu-1gb, in `ha` db-s-1vcpu-2gb.",
        ).optional(),
        nodes: integer(
          1,
          3,
          "Nodes of a managed database: the primary and up to two standbys, which take over when it fails. Standbys need nodes of at least 2 GB. Default: 1, in `ha` 2.",
        ).optional(),
        replicas: integer(
          0,
          5,
          "Read-only copies of a managed database. Default: 0, in `ha` 1.",
        ).optional(),
      },
      "The app's database.",
    ),
  )
  .meta({ type: ["string", "object"] });

/** The engine by itself is enough: `cache: managed`. */
export const cache = z
  .preprocess(
    (value) => (typeof value === "string" ? { engine: value } : value),
    mapping(
      {
        engine: choice(
          ["none", "container", "managed"],
          "`container`: Valkey as a service of the swarm; its contents are lost with its task. `managed`: a DigitalOcean Valkey cluster, reached from the VPC only.",
        ).default("none"),
        size: databaseSizeSlug("Size of a managed node.").default("db-s-1vcpu-1gb"),
        nodes: integer(
          1,
          3,
          "Nodes of a managed cache: the primary and up to two standbys, which need nodes of at least 2 GB.",
        ).default(1),
        memoryMib: integer(16, 65_536, "Most memory that the container keeps data in.").default(
          128,
        ),
      },
      "State that the tasks of a service share, such as sessions: Valkey, which speaks Redis' protocol. Services get its URL as the file `/run/secrets/cache_url`.",
    ),
  )
  .meta({ type: ["string", "object"] });
