/** A stack's state, taken from its backend and handed back to it: local and cloud alike. */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { z } from "zod";

/** One Pulumi command on the stack in question. */
export type RunPulumi = (
  words: readonly string[],
) => Promise<{ code: number; stdout: string; stderr: string }>;

/** DigitalOcean's API, or the local one. */
export interface Api {
  readonly url: string;
  readonly token: string;
}

const resource = z.looseObject({
  urn: z.string(),
  type: z.string(),
  id: z.string().optional(),
  parent: z.string().optional(),
  inputs: z.record(z.string(), z.unknown()).optional(),
  deletedWith: z.string().optional(),
  dependencies: z.array(z.string()).nullish(),
  propertyDependencies: z.record(z.string(), z.array(z.string()).nullable()).nullish(),
});
export type Resource = z.infer<typeof resource>;

const stateSchema = z.looseObject({
  deployment: z
    .looseObject({
      resources: z.array(resource).optional(),
      pending_operations: z.array(z.looseObject({ type: z.string(), resource })).optional(),
    })
    .nullish(),
});
export type State = z.infer<typeof stateSchema>;

/** @throws {Error} with what Pulumi printed, when the command fails. */
export async function mustRun(pulumi: RunPulumi, words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await pulumi(words);
  if (code === 0) return stdout;
  throw new Error(`The stack could not be put right:\n${stdout}${stderr}`);
}

export async function exportState(pulumi: RunPulumi): Promise<State> {
  return stateSchema.parse(JSON.parse(await mustRun(pulumi, ["stack", "export"])));
}

/** Hands a state back to the backend, through a file that only this user can read. */
export async function importState(pulumi: RunPulumi, state: State): Promise<void> {
  const dir = fs.mkdtempSync(path.join(tmpdir(), "archipelago-heal-"));
  try {
    const file = path.join(dir, "state.json");
    fs.writeFileSync(file, JSON.stringify(state), { mode: 0o600 });
    await mustRun(pulumi, ["stack", "import", "--file", file]);
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

export const withResources = (state: State, resources: Resource[]): State => ({
  ...state,
  deployment: { ...state.deployment, resources },
});

/** Resources but those, and nothing that depends on those. */
export function without(
  forgotten: ReadonlySet<string>,
  resources: readonly Resource[],
): Resource[] {
  return resources
    .filter(({ urn }) => !forgotten.has(urn))
    .map((resource) => withoutDependenciesOn(forgotten, resource));
}

/** What the engine does with dependencies on a resource that a refresh found gone. */
function withoutDependenciesOn(forgotten: ReadonlySet<string>, resource: Resource): Resource {
  const remaining = (urns: readonly string[]) => urns.filter((urn) => !forgotten.has(urn));
  const { dependencies, propertyDependencies } = resource;
  return {
    ...resource,
    ...(dependencies && { dependencies: remaining(dependencies) }),
    ...(propertyDependencies && {
      propertyDependencies: Object.fromEntries(
        Object.entries(propertyDependencies).map(([name, urns]) => [name, remaining(urns ?? [])]),
      ),
    }),
  };
}
