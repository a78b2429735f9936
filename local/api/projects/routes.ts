import { randomUUID } from "node:crypto";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import { timestamp, type Context } from "../context";
import { badRequest, conflict, notFound, preconditionFailed } from "../errors";
import { parse } from "../input";
import { paginate } from "../pagination";
import { baseUrl } from "../urls";
import {
  type AssignmentRecord,
  assign,
  defaultProject,
  projectView,
  resourceKey,
  resourcePath,
} from "./model";

interface ProjectPath {
  Params: { project: string };
}

const environments = new Map(
  (["Development", "Staging", "Production"] as const).map((name) => [name.toLowerCase(), name]),
);
const environment = z
  .string()
  .nullish()
  .transform((value, check) => {
    if (!value) return undefined;
    const known = environments.get(value.toLowerCase());
    if (!known) check.addIssue("environment must be one of Development, Staging or Production");
    return known;
  });

const creation = z.object({
  name: z.string({ error: "name is required" }).min(1, "name is required").max(175),
  description: z.string().max(255).nullish(),
  purpose: z.string({ error: "purpose is required" }).min(1, "purpose is required").max(255),
  environment,
});

const change = z.object({
  name: z.string().min(1).max(175).nullish(),
  description: z.string().max(255).nullish(),
  purpose: z.string().min(1).max(255).nullish(),
  environment,
  is_default: z.boolean().nullish(),
});

const assignment = z.object({ resources: z.array(z.string()) });

export function projectRoutes(app: FastifyInstance, context: Context): void {
  const { store, now } = context;

  const find = (id: string) => {
    const project = id === "default" ? defaultProject(context) : store.projects.get(id);
    if (!project) throw notFound();
    return project;
  };
  const refuseSameName = (name: string, id?: string) => {
    if (store.projects.find((each) => each.name === name && each.id !== id))
      throw conflict("name is already in use");
  };
  const resourceView = (request: FastifyRequest, record: AssignmentRecord, status: string) => ({
    urn: record.urn,
    assigned_at: timestamp(new Date(record.assignedAt)),
    links: { self: `${baseUrl(request)}${resourcePath(store, record.urn) ?? ""}` },
    status,
  });

  app.get("/v2/projects", (request) =>
    paginate(
      request,
      "projects",
      store.projects.all().map((project) => projectView(store, project)),
    ),
  );

  app.post("/v2/projects", (request, reply) => {
    const input = parse(creation, request.body);
    const project = store.transaction(() => {
      refuseSameName(input.name);
      const at = now().toISOString();
      const record = {
        id: randomUUID(),
        name: input.name,
        description: input.description ?? "",
        purpose: input.purpose,
        environment: input.environment,
        isDefault: false,
        createdAt: at,
        updatedAt: at,
      };
      store.projects.put(record.id, record);
      return record;
    });
    return reply.code(201).send({ project: projectView(store, project) });
  });

  app.get<ProjectPath>("/v2/projects/:project", ({ params }) => ({
    project: projectView(store, find(params.project)),
  }));

  const update = (id: string, body: unknown) => {
    const input = parse(change, body);
    return store.transaction(() => {
      const project = find(id);
      if (input.name) refuseSameName(input.name, project.id);
      if (input.is_default === true)
        for (const other of store.projects.filter((each) => each.isDefault))
          store.projects.patch(other.id, { isDefault: false });
      store.projects.put(project.id, {
        ...project,
        name: input.name ?? project.name,
        description: input.description ?? project.description,
        purpose: input.purpose ?? project.purpose,
        environment: input.environment ?? project.environment,
        isDefault: project.isDefault || input.is_default === true,
        updatedAt: now().toISOString(),
      });
      return { project: projectView(store, find(project.id)) };
    });
  };
  app.put<ProjectPath>("/v2/projects/:project", ({ params, body }) => update(params.project, body));
  app.patch<ProjectPath>("/v2/projects/:project", ({ params, body }) =>
    update(params.project, body),
  );

  app.delete<ProjectPath>("/v2/projects/:project", (request, reply) => {
    store.transaction(() => {
      const project = find(request.params.project);
      if (project.isDefault) throw preconditionFailed("cannot delete the default project");
      if (store.assignments.find((each) => each.projectId === project.id))
        throw preconditionFailed("cannot delete a project with resources");
      store.projects.remove(project.id);
    });
    return reply.code(204).send();
  });

  app.get<ProjectPath>("/v2/projects/:project/resources", (request) => {
    const project = find(request.params.project);
    const records = store.assignments.filter((each) => each.projectId === project.id);
    return paginate(
      request,
      "resources",
      records.map((each) => resourceView(request, each, "ok")),
    );
  });

  app.post<ProjectPath>("/v2/projects/:project/resources", (request) => {
    const input = parse(assignment, request.body);
    return store.transaction(() => {
      const project = find(request.params.project);
      const resources = input.resources.map((urn) => {
        const key = resourceKey(urn);
        if (!key) throw badRequest(`${urn} is no valid URN`);
        if (!resourcePath(store, urn)) throw notFound(`resource not found: ${urn}`);
        const before = store.assignments.get(key);
        const record = assign(context, urn, project.id);
        const status = before?.projectId === project.id ? "already_assigned" : "assigned";
        return resourceView(request, record, status);
      });
      return { resources };
    });
  });
}
