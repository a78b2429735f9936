import type * as pulumi from "@pulumi/pulumi";

/** Where resources of a site are made, and what they wait for. */
export interface Site {
  /** Absent in the first site, whose resources have had none since there was only one. */
  readonly parent?: pulumi.Resource;
  /** What must exist before Droplets do. */
  readonly beforeNodes: readonly pulumi.Resource[];
  /** What must be well before the site's services change: the app in the site before. */
  readonly beforeServices: readonly pulumi.Resource[];
}

export const FIRST_SITE: Site = { beforeNodes: [], beforeServices: [] };

/** Options of what is made right in the site. */
export const inSite = ({ parent }: Site): { parent?: pulumi.Resource } =>
  parent === undefined ? {} : { parent };
