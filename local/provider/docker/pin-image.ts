import { members, text, type Values } from "../framework/values";
import type { DockerClient, RegistryAuth } from "./client";
import { inspectDistribution } from "./distribution";

/**
 * Pins the image to its digest and the placement to its platforms, as Docker's client does at creation for the
 * official provider (`QueryRegistry`, moby client/service_create.go). Hence an image given by tag shows as
 * changed at the next preview; by digest it does not.
 */
export async function pinned(
  client: DockerClient,
  spec: Values,
  auth: RegistryAuth | undefined,
): Promise<Values> {
  const template = members(spec.TaskTemplate);
  const container = members(template.ContainerSpec);
  const image = text(container.Image);
  const found = await inspectDistribution(client, image, auth);
  if (!found?.Descriptor?.digest) {
    return spec;
  }
  const platforms = (found.Platforms ?? []).map(({ architecture = "", os = "" }) => ({
    // Docker clears the architecture for ARM, which has variants.
    Architecture: architecture.toLowerCase() === "arm" ? "" : architecture,
    OS: os,
  }));
  return {
    ...spec,
    TaskTemplate: {
      ...template,
      ContainerSpec: {
        ...container,
        Image: image.includes("@") ? image : `${withTag(image)}@${found.Descriptor.digest}`,
      },
      ...(platforms.length > 0
        ? { Placement: { ...members(template.Placement), Platforms: platforms } }
        : {}),
    },
  };
}

const withTag = (image: string): string => (/:[^/]+$/.test(image) ? image : `${image}:latest`);
