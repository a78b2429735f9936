import type { ResourceType } from "../../framework/provider";
import { boolean, set, string } from "../../framework/schema";
import { text, texts, type Values } from "../../framework/values";
import { hasStatus, type ApiClient } from "../client";
import { until } from "../wait";

export interface ApiProject {
  readonly id: string;
  readonly owner_uuid: string;
  readonly owner_id: number;
  readonly name: string;
  readonly description: string;
  readonly purpose: string;
  readonly environment: string;
  readonly is_default: boolean;
  readonly created_at: string;
  readonly updated_at: string;
}

/** Resources leave a project asynchronously (P project/resource_project.go: Timeouts.Delete). */
const RESOURCES_LEAVE_MS = 3 * 60 * 1000;

export const urnsOf = async (client: ApiClient, id: string): Promise<string[]> =>
  (await client.all<{ urn: string }>(`/projects/${id}/resources`, "resources")).map(
    ({ urn }) => urn,
  );

async function assign(client: ApiClient, id: string, urns: readonly string[]): Promise<void> {
  if (urns.length > 0) {
    await client.post(`/projects/${id}/resources`, { resources: urns });
  }
}

/** A resource always belongs to a project: what leaves one goes to the default project. */
async function release(client: ApiClient, urns: readonly string[]): Promise<void> {
  if (urns.length > 0) {
    const { project } = await client.get<{ project: ApiProject }>("/projects/default");
    await assign(client, project.id, urns);
  }
}

async function moveResources(client: ApiClient, id: string, olds: Values, news: Values) {
  const [before, after] = [texts(olds.resources), texts(news.resources)];
  await release(
    client,
    before.filter((urn) => !after.includes(urn)),
  );
  await assign(
    client,
    id,
    after.filter((urn) => !before.includes(urn)),
  );
}

export const projectState = (project: ApiProject, resources: readonly string[]): Values => ({
  name: project.name,
  purpose: project.purpose.replace(/^Other: /, ""),
  description: project.description,
  environment: project.environment,
  isDefault: project.is_default,
  ownerUuid: project.owner_uuid,
  ownerId: project.owner_id,
  createdAt: project.created_at,
  updatedAt: project.updated_at,
  resources,
});

const existing = (project: ApiProject, resources: readonly string[]) => ({
  id: project.id,
  state: projectState(project, resources),
});

const settings = (inputs: Values): Values => ({
  name: inputs.name,
  description: text(inputs.description),
  purpose: inputs.purpose,
  environment: text(inputs.environment),
  is_default: inputs.isDefault === true,
});

export const project: ResourceType<ApiClient> = {
  inputs: {
    name: string(),
    description: string({ default: "" }),
    purpose: string({ default: "Web Application" }),
    environment: string({
      same: (old, given) => text(old).toLowerCase() === text(given).toLowerCase(),
    }),
    isDefault: boolean({ default: false }),
    resources: set(string(), { computed: true }),
  },
  outputs: ["ownerUuid", "ownerId", "createdAt", "updatedAt"],
  autoname: true,
  async create(client, inputs, creation) {
    const { is_default: isDefault, ...rest } = settings(inputs);
    const { project: made } = await client.post<{ project: ApiProject }>("/projects", rest);
    creation.exists(made.id, existing(made, []).state);
    await assign(client, made.id, texts(inputs.resources));
    const now = isDefault
      ? await client.put<{ project: ApiProject }>(`/projects/${made.id}`, settings(inputs))
      : { project: made };
    return existing(now.project, await urnsOf(client, made.id));
  },
  async read(client, id) {
    const found = await client.find<{ project: ApiProject }>(`/projects/${id}`);
    return found && existing(found.project, await urnsOf(client, id));
  },
  async update(client, id, { olds, news, changed }) {
    const { project: updated } = await client.put<{ project: ApiProject }>(
      `/projects/${id}`,
      settings(news),
    );
    if (changed("resources")) {
      await moveResources(client, id, olds, news);
    }
    return existing(updated, await urnsOf(client, id));
  },
  async delete(client, id) {
    if (!(await client.find(`/projects/${id}`))) {
      return;
    }
    await release(client, await urnsOf(client, id));
    const deadline = Date.now() + RESOURCES_LEAVE_MS;
    await until(client, `the resources of project ${id} to leave`, async () => {
      try {
        await client.remove(`/projects/${id}`);
        return true;
      } catch (error) {
        if (hasStatus(error, 412) && Date.now() < deadline) {
          return undefined;
        }
        throw error;
      }
    });
  },
};

/** Puts resources into a project and looks at those only, whatever else is in it. */
export const projectResources: ResourceType<ApiClient> = {
  inputs: {
    project: string({ required: true, replace: true }),
    resources: set(string(), { required: true }),
  },
  outputs: [],
  async create(client, inputs) {
    const id = text(inputs.project);
    await assign(client, id, texts(inputs.resources));
    return { id, state: {} };
  },
  async read(client, id, known) {
    if (!(await client.find(`/projects/${id}`))) {
      return undefined;
    }
    const there = await urnsOf(client, id);
    const mine = texts(known.resources);
    const imported = known.project === undefined;
    return {
      id,
      state: {
        project: id,
        resources: imported ? there : mine.filter((urn) => there.includes(urn)),
      },
    };
  },
  async update(client, id, { olds, news }) {
    await moveResources(client, id, olds, news);
    return { id, state: {} };
  },
  async delete(client, id, state) {
    if (!(await client.find(`/projects/${id}`))) {
      return;
    }
    const there = await urnsOf(client, id);
    await release(
      client,
      texts(state.resources).filter((urn) => there.includes(urn)),
    );
  },
};
