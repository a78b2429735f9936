/**
 * Images that Archipelago adds to an app. Tags, because a digest names one registry's build: where Docker
 * Hub is out of reach, local mode serves Debian's packages under the same references.
 */
export const IMAGES = {
  haproxy: "haproxy:3.2-alpine",
  node: "node:22-alpine",
  postgres: "postgres:15-alpine",
  pgbouncer: "edoburu/pgbouncer:v1.24.1-p1",
} as const;
