import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect, isIPv4 } from "node:net";
import type { Context } from "../context";
import { names } from "../names";
import type { UptimeCheckRecord } from "./model";

const timeoutMilliseconds = 3000;

/** A target's address on this machine; undefined for the world's, which is left alone. */
function localAddress({ store }: Context, host: string): string | undefined {
  const addresses = isIPv4(host)
    ? [host]
    : (names(store).find(({ name }) => name === host.toLowerCase())?.addresses ?? []);
  return addresses.find((address) => address.startsWith("127."));
}

/**
 * Asks a check's target, when it is on this machine.
 *
 * @returns whether it answers well; undefined when it was not asked.
 */
export async function probe(
  context: Context,
  { type, target, enabled }: UptimeCheckRecord,
): Promise<boolean | undefined> {
  const url = new URL(/^[a-z]+:\/\//.test(target) ? target : `${type}://${target}`);
  const address = enabled ? localAddress(context, url.hostname) : undefined;
  if (address === undefined) return undefined;
  return type === "ping" ? reaches(address) : answers(context, url, address);
}

function answers({ authority }: Context, url: URL, address: string): Promise<boolean> {
  const secure = url.protocol === "https:";
  const options = {
    host: address,
    port: Number(url.port) || (secure ? 443 : 80),
    path: url.pathname + url.search,
    headers: { host: url.host },
    timeout: timeoutMilliseconds,
    agent: false,
  };
  return new Promise((resolve) => {
    const asked = secure
      ? httpsRequest({
          ...options,
          ca: authority.pem,
          ...(!isIPv4(url.hostname) && { servername: url.hostname }),
        })
      : httpRequest(options);
    asked.on("response", (response) => {
      response.resume();
      resolve((response.statusCode ?? 500) < 400);
    });
    asked.on("timeout", () => asked.destroy());
    asked.on("error", () => resolve(false));
    asked.on("close", () => resolve(false));
    asked.end();
  });
}

/** Machines of this cloud answer on some port or refuse; what is not there does neither. */
function reaches(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: 80, timeout: timeoutMilliseconds });
    const end = (found: boolean) => {
      resolve(found);
      socket.destroy();
    };
    socket.on("connect", () => end(true));
    socket.on("timeout", () => end(false));
    socket.on("error", ({ code }: NodeJS.ErrnoException) => end(code === "ECONNREFUSED"));
  });
}
