import type { Account } from "./account";
import type { Config } from "./config";

/** Begins the names of nodes of the second site wherever those of both are told apart. */
export const SECOND = "second";

/** A site as a stack of its own. */
export interface SiteView {
  readonly config: Config;
  readonly account: Account;
}

/**
 * The second site as a stack of its own: names in the account begin with the stack's and `second`. What may happen once
 * for the whole app only happens in the first site: release commands and scheduled jobs.
 *
 * @returns undefined where there is none.
 */
export function secondSiteConfig(config: Config): Config | undefined {
  const { secondSite, stack, roll } = config;
  if (secondSite === undefined) return undefined;
  const services = Object.entries(config.services)
    .filter(([, { schedule }]) => schedule === undefined)
    .map(([name, service]) => [name, { ...service, release: undefined }] as const);
  return {
    ...config,
    ...secondSite,
    secondSite: undefined,
    stack: `${stack}-${SECOND}`,
    services: Object.fromEntries(services),
    roll: roll && { ...roll, held: roll.held.flatMap(ownName) },
  };
}

/** The second site, and what the account has of it. */
export function secondSiteOf(config: Config, { second }: Account): SiteView | undefined {
  const siteConfig = secondSiteConfig(config);
  return siteConfig && second && { config: siteConfig, account: second };
}

/** @returns the name of a node of the second site among those of both. */
export const nameOfSecond = (node: string) => `${SECOND}-${node}`;

function ownName(node: string): string[] {
  return node.startsWith(`${SECOND}-`) ? [node.slice(SECOND.length + 1)] : [];
}
