import { createHash, randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { createClient } from "@redis/client";
import type { Database, SessionStore } from "./database";
import type { Settings } from "./settings";

const COOKIE = "session";
const LIFE_SECONDS = 24 * 3600;
const COMMAND_TIMEOUT_MS = 2000;

/** Who a browser belongs to. Any copy of the app knows, because none keeps it in memory. */
export class Sessions {
  constructor(private readonly store: SessionStore) {}

  /** @returns the visitor's name, or null for a stranger */
  async name(request: IncomingMessage): Promise<string | null> {
    const id = sessionId(request);
    return id === undefined ? null : ((await this.store.session(key(id))) ?? null);
  }

  /** @returns the `Set-Cookie` header of a session that is new: an old ID may have been planted */
  async begin(request: IncomingMessage, name: string): Promise<string> {
    await this.end(request);
    const id = randomBytes(24).toString("base64url");
    await this.store.putSession(key(id), name, LIFE_SECONDS);
    return cookie(request, id, LIFE_SECONDS);
  }

  /** @returns the `Set-Cookie` header that makes the browser forget it */
  async end(request: IncomingMessage): Promise<string> {
    const id = sessionId(request);
    if (id !== undefined) await this.store.endSession(key(id));
    return cookie(request, "", 0);
  }
}

/** Who reads the store must not be able to take a session over. */
const key = (id: string) => createHash("sha256").update(id).digest("base64url");

function sessionId(request: IncomingMessage): string | undefined {
  const pairs = (request.headers.cookie ?? "").split(";").map((pair) => pair.trim().split("="));
  const [, id] = pairs.find(([name]) => name === COOKIE) ?? [];
  return id === undefined || id === "" ? undefined : id;
}

function cookie(request: IncomingMessage, value: string, seconds: number): string {
  // The edge says how the browser came.
  const secure = request.headers["x-forwarded-proto"] === "https" ? "; Secure" : "";
  return `${COOKIE}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure}`;
}

/** Where sessions are kept, and how to leave it. */
export interface OpenSessions extends SessionStore {
  close(): Promise<void>;
}

/** In the cache where there is one, else in the database. */
export function openSessions(cache: Settings["cache"], database: Database): OpenSessions {
  if (cache !== undefined) return new CachedSessions(cache);
  return {
    session: (id) => database.session(id),
    putSession: (...session) => database.putSession(...session),
    endSession: (id) => database.endSession(id),
    close: () => Promise.resolve(),
  };
}

/** In Valkey, which forgets them by itself. Calls fail at once while it is away. */
class CachedSessions implements OpenSessions {
  private readonly client;

  constructor({ url, ca }: NonNullable<Settings["cache"]>) {
    this.client = createClient({
      url,
      ...(ca !== undefined && { socket: { tls: true, ca } }),
      disableOfflineQueue: true,
      commandOptions: { timeout: COMMAND_TIMEOUT_MS },
    });
    this.client.on("error", (error: Error) => console.error(`cache: ${error.message}`));
    // It tries again by itself, for as long as it takes.
    void this.client.connect().catch(() => undefined);
  }

  async session(id: string) {
    return (await this.client.get(`session:${id}`)) ?? undefined;
  }

  async putSession(id: string, name: string, seconds: number) {
    await this.client.set(`session:${id}`, name, {
      expiration: { type: "EX", value: seconds },
    });
  }

  async endSession(id: string) {
    await this.client.del(`session:${id}`);
  }

  close() {
    if (this.client.isOpen) this.client.destroy();
    return Promise.resolve();
  }
}
