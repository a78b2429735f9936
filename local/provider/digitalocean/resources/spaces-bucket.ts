import type { CheckFailure } from "../../framework/check";
import type { ResourceType } from "../../framework/provider";
import { boolean, list, lowerCase, number, object, string } from "../../framework/schema";
import { items, members, text, type Values } from "../../framework/values";
import type { ApiClient } from "../client";
import { elements, plainText, SpacesError } from "../spaces";

/** https://docs.digitalocean.com/products/spaces/details/availability/ */
export const SPACES_REGIONS: readonly string[] = [
  "ams3",
  "atl1",
  "blr1",
  "fra1",
  "lon1",
  "nyc3",
  "sfo2",
  "sfo3",
  "sgp1",
  "syd1",
  "tor1",
];

const strings = () => list(string());

const isMissing = (error: unknown) => error instanceof SpacesError && error.status === 404;

/** What is gone already is fine. */
const orMissing = (call: Promise<unknown>): Promise<unknown> =>
  call.catch((error: unknown) => {
    if (!isMissing(error)) throw error;
  });

async function state({ spaces }: ApiClient, name: string, region: string) {
  const answer = await spaces.request("GET", region, `/${name}?versioning`);
  const endpoint = `${region}.digitaloceanspaces.com`;
  return {
    id: name,
    state: {
      name,
      region,
      versioning: { enabled: elements(answer, "Status")[0] === "Enabled" },
      endpoint,
      bucketDomainName: `${name}.${endpoint}`,
      bucketUrn: `do:space:${name}`,
    },
  };
}

async function setVersioning({ spaces }: ApiClient, name: string, inputs: Values): Promise<void> {
  const status = members(inputs.versioning).enabled === true ? "Enabled" : "Suspended";
  await spaces.request("PUT", text(inputs.region), `/${name}?versioning`, {
    body: `<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>${status}</Status></VersioningConfiguration>`,
  });
}

/** Every version of every object, and what marks one as deleted. */
async function empty({ spaces }: ApiClient, name: string, region: string): Promise<void> {
  for (let before = ""; ;) {
    const listed = await spaces.request("GET", region, `/${name}?versions`);
    const found = [...elements(listed, "Version"), ...elements(listed, "DeleteMarker")];
    const [first] = found;
    if (first === undefined) return;
    if (first === before) throw new Error(`bucket ${name} keeps ${first} though it was deleted`);
    before = first;
    for (const one of found) {
      const [key = ""] = elements(one, "Key");
      const [version = ""] = elements(one, "VersionId");
      const path = encodeURIComponent(plainText(key)).replaceAll("%2F", "/");
      const query = version === "" ? "" : `?versionId=${encodeURIComponent(version)}`;
      await orMissing(spaces.request("DELETE", region, `/${name}/${path}${query}`));
    }
  }
}

/** What the local S3 server, or this stand-in, cannot do, said before anything is made. */
function unknownHere(inputs: Values): CheckFailure[] {
  return ["corsRules", "lifecycleRules"].flatMap((property) =>
    items(inputs[property]).length === 0
      ? []
      : [{ property, reason: "is not known to the local DigitalOcean; leave it out there" }],
  );
}

/** A bucket of Spaces (P spaces/resource_spaces_bucket.go). */
export const spacesBucket: ResourceType<ApiClient> = {
  inputs: {
    name: string(),
    region: string({ default: "nyc3", replace: true, state: lowerCase }),
    acl: string({ default: "private" }),
    forceDestroy: boolean({ default: false }),
    versioning: object({ enabled: boolean({ default: false }) }),
    corsRules: list(
      object({
        allowedHeaders: strings(),
        allowedMethods: list(string(), { required: true }),
        allowedOrigins: list(string(), { required: true }),
        maxAgeSeconds: number(),
      }),
    ),
    lifecycleRules: list(
      object({
        id: string({ computed: true }),
        prefix: string(),
        enabled: boolean({ required: true }),
        abortIncompleteMultipartUploadDays: number(),
        expiration: object({
          date: string(),
          days: number(),
          expiredObjectDeleteMarker: boolean(),
        }),
        noncurrentVersionExpiration: object({ days: number() }),
      }),
    ),
  },
  outputs: ["bucketDomainName", "bucketUrn", "endpoint"],
  autoname: true,
  validate(inputs) {
    const region = inputs.region;
    const wrong = typeof region === "string" && !SPACES_REGIONS.includes(lowerCase(region));
    return [
      ...(wrong
        ? [{ property: "region", reason: `expected one of ${SPACES_REGIONS.join(", ")}` }]
        : []),
      ...unknownHere(inputs),
    ];
  },
  async create(client, inputs, creation) {
    const name = text(inputs.name);
    const region = lowerCase(text(inputs.region));
    await client.spaces.request("PUT", region, `/${name}`, {
      headers: { "x-amz-acl": text(inputs.acl) },
    });
    creation.exists(name);
    if (members(inputs.versioning).enabled === true) await setVersioning(client, name, inputs);
    return state(client, name, region);
  },
  async read(client, id, known) {
    // An import says nothing of the region.
    const region = text(known.region) || "nyc3";
    try {
      return await state(client, id, region);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  },
  async update(client, id, { news, changed }) {
    const region = text(news.region);
    if (changed("acl")) {
      await client.spaces.request("PUT", region, `/${id}?acl`, {
        headers: { "x-amz-acl": text(news.acl) },
      });
    }
    if (changed("versioning")) await setVersioning(client, id, news);
    return state(client, id, region);
  },
  async delete(client, id, known) {
    const region = text(known.region);
    const remove = () => orMissing(client.spaces.request("DELETE", region, `/${id}`));
    try {
      await remove();
    } catch (error) {
      if (!(error instanceof SpacesError && error.code === "BucketNotEmpty")) throw error;
      if (known.forceDestroy !== true) {
        throw new Error(
          `bucket ${id} is not empty: remove what is in it, or set forceDestroy and run up before it is deleted`,
          { cause: error },
        );
      }
      await empty(client, id, region);
      await remove();
    }
  },
};
