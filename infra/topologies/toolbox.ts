import type * as pulumi from "@pulumi/pulumi";
import type { Builder } from "../../components/app/container";
import { builtCopy, builtImage } from "../../components/images";
import { TOOLBOX } from "../../components/toolbox";
import type { OnSwarm } from "./on-swarm";

/** The image with the tools, on every node. */
export interface Toolbox {
  readonly image: pulumi.Output<string>;
  readonly copies: readonly pulumi.Resource[];
}

/** @param repository that it is pushed to. @param builders the other nodes, where there is none. */
export function makeToolbox(
  { child }: OnSwarm,
  repository: pulumi.Output<string> | undefined,
  builders: Readonly<Record<string, Builder>>,
): Toolbox {
  return {
    image: builtImage("toolbox", TOOLBOX, repository, child),
    copies:
      repository === undefined
        ? Object.entries(builders).map(([node, { provider, droplet }]) =>
            builtCopy(`toolbox-${node}`, "toolbox", TOOLBOX, {
              ...child,
              provider,
              deletedWith: droplet,
            }),
          )
        : [],
  };
}
