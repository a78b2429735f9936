/** What two stacks' states say of the front address, and who keeps it. */
import { Fault } from "../../local/fault";
import { type Resource, type State, without, withResources } from "../stack-state";
import type { Front } from "./front";

const ADDRESS = "digitalocean:index/reservedIp:ReservedIp";
const ASSIGNMENT = "digitalocean:index/reservedIpAssignment:ReservedIpAssignment";
const STACK = "pulumi:pulumi:Stack";
const DNS = "archipelago:ingress:Dns";

const resourcesOf = ({ deployment }: State) => deployment?.resources ?? [];

/** @returns undefined when the stack has no Reserved IP of its own. */
export function frontOf(state: State): Front | undefined {
  const ip = resourcesOf(state).find(({ type }) => type === ADDRESS)?.id;
  const dropletId = resourcesOf(state).find(({ type }) => type === ASSIGNMENT)?.inputs?.dropletId;
  return ip === undefined || dropletId === undefined
    ? undefined
    : { ip, dropletId: Number(dropletId) };
}

/** The stack's address is another one: in what it owns, and in what it gives out. */
export function withAddress(state: State, ip: string): State {
  const old = frontOf(state)?.ip;
  if (old === undefined) throw new Fault("The stack has no Reserved IP.");
  const changed = resourcesOf(state).map((resource): Resource => {
    if (![ADDRESS, ASSIGNMENT, STACK].includes(resource.type)) return resource;
    return JSON.parse(JSON.stringify(resource).replaceAll(old, ip)) as Resource;
  });
  return withResources(state, changed);
}

/** DNS zone and records stay in the account, and are no longer the stack's: to destroy it leaves the name alone. */
export function withoutNames(state: State): State {
  const names = resourcesOf(state).filter(({ urn }) => urn.includes(`::${DNS}`));
  const forgotten = new Set(names.map(({ urn }) => urn));
  return withResources(state, without(forgotten, resourcesOf(state)));
}
