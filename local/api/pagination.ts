import type { FastifyRequest } from "fastify";
import { unprocessable } from "./errors";

/** https://docs.digitalocean.com/reference/api/ "Links & Pagination" */
const defaultPerPage = 20;
const maxPerPage = 200;

export type Query = Readonly<Record<string, string | undefined>>;

function positive(value: string | undefined, name: string, fallback: number): number {
  if (value === undefined || value === "") return fallback;
  const number = Number(value);
  if (!Number.isInteger(number) || number < 0)
    throw unprocessable(`${name} must be a positive whole number, got ${value}`);
  // The real API takes 0 as "not given"; godo sends it for an empty ListOptions.
  return number === 0 ? fallback : number;
}

/** Cuts one page out of `items` and adds `links` and `meta`. */
export function paginate<T, K extends string>(
  request: FastifyRequest,
  key: K,
  items: readonly T[],
): Record<K, T[]> & { links: object; meta: { total: number } } {
  const query = request.query as Query;
  const perPage = Math.min(positive(query["per_page"], "per_page", defaultPerPage), maxPerPage);
  const page = positive(query["page"], "page", 1);
  const lastPage = Math.max(1, Math.ceil(items.length / perPage));
  const link = (target: number) => {
    const url = new URL(request.url, `${request.protocol}://${request.host}`);
    url.searchParams.set("page", String(target));
    if (query["per_page"]) url.searchParams.set("per_page", String(perPage));
    return url.toString();
  };
  const pages = {
    ...(page > 1 && { first: link(1), prev: link(Math.min(page - 1, lastPage)) }),
    ...(page < lastPage && { next: link(page + 1), last: link(lastPage) }),
  };
  return {
    [key]: items.slice((page - 1) * perPage, page * perPage),
    links: Object.keys(pages).length > 0 ? { pages } : {},
    meta: { total: items.length },
  } as Record<K, T[]> & { links: object; meta: { total: number } };
}
