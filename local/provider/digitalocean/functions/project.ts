import { isZero, text } from "../../framework/values";
import { projectState, urnsOf, type ApiProject } from "../resources/project";
import { single, type Invoke } from "./lookup";

/** By ID or by name, else the default project. */
export const getProject: Invoke = async (client, args) => {
  const project = isZero(args.name)
    ? (
        await client.get<{ project: ApiProject }>(
          `/projects/${isZero(args.id) ? "default" : text(args.id)}`,
        )
      ).project
    : single(
        (await client.all<ApiProject>("/projects", "projects")).filter(
          ({ name }) => name === args.name,
        ),
        `project with name ${text(args.name)}`,
      );
  return { id: project.id, ...projectState(project, await urnsOf(client, project.id)) };
};
