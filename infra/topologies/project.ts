import type * as pulumi from "@pulumi/pulumi";
import { StackProject } from "../../components/stack-project";
import type { Config } from "../config";
import { stackName } from "../names";
import type { Ground } from "./ground";
import type { Ingress } from "./ingress";
import type { Managed } from "./managed";
import type { Nodes } from "./nodes";
import type { SecondStack } from "./second-site";

interface Stack {
  readonly ground: Ground;
  readonly nodes: Nodes;
  readonly ingress: Ingress;
  readonly managed: Managed;
  readonly second: SecondStack | undefined;
}

/** The stack's page in the control panel. */
export function makeProject(
  { stack }: Config,
  { ground, nodes, ingress, managed, second }: Stack,
): void {
  const databases = [managed.postgres?.server, managed.cache];
  const urns: (pulumi.Output<string> | undefined)[] = [
    ...[...Object.values(nodes), ...Object.values(second?.nodes ?? {})].map(
      ({ droplet }) => droplet.dropletUrn,
    ),
    ...[ground, second?.ground].map((each) => each?.bastion?.droplet.dropletUrn),
    ground.volume?.volumeUrn,
    ...ingress.urns,
    ...databases.map((database) => database?.cluster.clusterUrn),
    managed.files?.bucket.bucketUrn,
  ];
  new StackProject("project", {
    name: stackName(stack),
    stack,
    urns: urns.filter((urn) => urn !== undefined),
  });
}
