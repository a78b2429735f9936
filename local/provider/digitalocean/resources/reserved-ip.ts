import type { ResourceType } from "../../framework/provider";
import { lowerCase, number, string } from "../../framework/schema";
import { integer, isZero, text, type Values } from "../../framework/values";
import { hasStatus, type ApiClient } from "../client";
import { until, whenIdle, type Action } from "../wait";

export interface ApiReservedIp {
  readonly ip: string;
  readonly region: { readonly slug: string };
  readonly droplet: { readonly id: number; readonly region: { readonly slug: string } } | null;
}

const fetchIp = (client: ApiClient, ip: string) =>
  client.find<{ reserved_ip: ApiReservedIp }>(`/reserved_ips/${ip}`);

/** No action of the Droplet may be under way (P reservedip/reserved_ip_actions.go: waitOnDroplet). */
async function idle(client: ApiClient, dropletId: number): Promise<void> {
  await until(client, `Droplet ${dropletId} to be idle`, async () => {
    const { actions } = await client.get<{ actions: Action[] }>(
      `/droplets/${dropletId}/actions?per_page=50`,
    );
    return actions.some(({ status }) => status === "in-progress") ? undefined : true;
  });
}

/** Runs an action of the address; its progress is under the address, not under `/actions`. */
async function ipAction(client: ApiClient, ip: string, body: Values): Promise<void> {
  const path = `/reserved_ips/${ip}/actions`;
  const started = (await client.post<{ action: Action }>(path, body)).action;
  let action = started;
  await until(client, `Reserved IP ${ip} to ${text(body.type)}`, async () => {
    if (action.status === "in-progress") {
      action = (await client.get<{ action: Action }>(`${path}/${started.id}`)).action;
    }
    if (action.status === "errored") {
      throw new Error(`Reserved IP ${ip}: ${text(body.type)} failed (action ${started.id})`);
    }
    return action.status === "completed" ? true : undefined;
  });
}

async function assign(client: ApiClient, ip: string, dropletId: number): Promise<void> {
  await idle(client, dropletId);
  await whenIdle(client, `Reserved IP ${ip} to assign`, () =>
    ipAction(client, ip, { type: "assign", droplet_id: dropletId }),
  );
}

/** What is unassigned already answers 422, what is gone 404. */
async function unassign(client: ApiClient, ip: string): Promise<void> {
  try {
    await ipAction(client, ip, { type: "unassign" });
  } catch (error) {
    if (!hasStatus(error, 404, 422)) {
      throw error;
    }
  }
}

/** The Droplet is only followed when the program set one (P reservedip/resource_reserved_ip.go:168). */
function existing(found: ApiReservedIp, known: Values) {
  const owned = !isZero(known.dropletId) && found.droplet !== null;
  return {
    id: found.ip,
    state: {
      ipAddress: found.ip,
      region: owned ? found.droplet?.region.slug : found.region.slug,
      reservedIpUrn: `do:reservedip:${found.ip}`,
      ...(owned ? { dropletId: found.droplet?.id } : {}),
    },
  };
}

export const reservedIp: ResourceType<ApiClient> = {
  inputs: {
    region: string({ required: true, replace: true, state: lowerCase }),
    ipAddress: string({ computed: true }),
    dropletId: number(),
  },
  outputs: ["reservedIpUrn"],
  async create(client, inputs, creation) {
    const made = await client.post<{ reserved_ip: ApiReservedIp }>("/reserved_ips", {
      region: lowerCase(text(inputs.region)),
    });
    const { ip } = made.reserved_ip;
    creation.exists(ip, existing(made.reserved_ip, {}).state);
    if (!isZero(inputs.dropletId)) {
      await assign(client, ip, integer(inputs.dropletId));
    }
    const now = await fetchIp(client, ip);
    return existing(now?.reserved_ip ?? made.reserved_ip, inputs);
  },
  async read(client, id, known) {
    const found = await fetchIp(client, id);
    if (!found) {
      return undefined;
    }
    const imported = known.region === undefined;
    return existing(
      found.reserved_ip,
      imported ? { dropletId: found.reserved_ip.droplet?.id } : known,
    );
  },
  async update(client, id, { news, changed }) {
    if (changed("dropletId")) {
      await (isZero(news.dropletId)
        ? unassign(client, id)
        : assign(client, id, integer(news.dropletId)));
    }
    const { reserved_ip: now } = await client.get<{ reserved_ip: ApiReservedIp }>(
      `/reserved_ips/${id}`,
    );
    return existing(now, news);
  },
  async delete(client, id, state) {
    if (!isZero(state.dropletId)) {
      await unassign(client, id);
    }
    await client.remove(`/reserved_ips/${id}`);
  },
};

/** Follows the address only while it is on this Droplet; when it has moved, the resource counts as gone. */
export const reservedIpAssignment: ResourceType<ApiClient> = {
  inputs: {
    dropletId: number({ required: true, replace: true }),
    ipAddress: string({ required: true, replace: true }),
  },
  outputs: [],
  async create(client, inputs) {
    const [ip, dropletId] = [text(inputs.ipAddress), integer(inputs.dropletId)];
    await assign(client, ip, dropletId);
    return { id: `${dropletId}-${ip}-${Date.now()}`, state: { ipAddress: ip, dropletId } };
  },
  async read(client, id, known) {
    // Imports are given as `<ip>,<droplet ID>`.
    const [importedIp, importedDroplet] = id.split(",");
    const ip = text(known.ipAddress ?? importedIp);
    const dropletId = integer(known.dropletId ?? importedDroplet);
    const found = await fetchIp(client, ip);
    return found?.reserved_ip.droplet?.id === dropletId
      ? {
          id: id.includes(",") ? `${dropletId}-${ip}-imported` : id,
          state: { ipAddress: ip, dropletId },
        }
      : undefined;
  },
  async delete(client, _id, state) {
    const ip = text(state.ipAddress);
    const found = await fetchIp(client, ip);
    if (found?.reserved_ip.droplet?.id === integer(state.dropletId)) {
      await unassign(client, ip);
    }
  },
};
