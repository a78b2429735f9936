import * as path from "node:path";

/** What the toolbox image is built from: `ARG BASE` is PostgreSQL's official image. */
export const TOOLBOX = {
  root: path.join(__dirname, "toolbox"),
  context: path.join(__dirname, "toolbox"),
  dockerfile: "Dockerfile",
} as const;
