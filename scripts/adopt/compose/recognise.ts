/** What a service of a compose file is there for, by its image. */
import type { ComposeService } from "./service";

/**
 * `postgres` and `cache`: Archipelago has its own. `proxy`: its edge does that. `helper`: looks after one Docker host, and has
 * nothing to do here. `app`: everything else.
 */
export type Kind = "postgres" | "cache" | "proxy" | "helper" | "app";

const BY_IMAGE: readonly (readonly [kind: Kind, image: RegExp])[] = [
  ["postgres", /^(postgres|postgis|postgresql|timescaledb(-ha)?|pgvector)$/],
  ["cache", /^(redis|redis-stack|redis-stack-server|valkey|keydb|dragonfly)$/],
  [
    "proxy",
    /^(nginx|nginx-unprivileged|traefik|caddy|haproxy|nginx-proxy|nginx-proxy-manager|swag|envoy)$/,
  ],
  [
    "helper",
    /^(watchtower|autoheal|certbot|acme-companion|letsencrypt-nginx-proxy-companion|docker-gen|portainer|portainer-ce|dozzle|docker-socket-proxy|cloudflared)$/,
  ],
];

/** Last part of an image's name, without tag and digest: `ghcr.io/acme/web:1` → `web`. */
export function imageBase(image: string): string {
  const name = image.split("@")[0]?.split("/").at(-1) ?? "";
  return name.split(":")[0] ?? "";
}

/** Major version of an image's tag: `postgres:16.2-alpine` → 16. */
export function imageMajor(image: string): number | undefined {
  const tag = /:([^:/@]+)(@|$)/.exec(image)?.[1];
  const major = /(?:^|pg)(\d+)/.exec(tag ?? "")?.[1];
  return major === undefined ? undefined : Number(major);
}

export function kindOf({ image, build, ports, dependsOn, labels }: ComposeService): Kind {
  if (image === undefined || build !== undefined) return "app";
  const base = imageBase(image);
  const kind = BY_IMAGE.find(([, pattern]) => pattern.test(base))?.[0] ?? "app";
  if (kind !== "proxy") return kind;
  // A web server with files of its own is an app; one before other services is a proxy.
  const before = Object.keys(dependsOn).length > 0 || Object.keys(labels).length > 0;
  const isTraefik = /traefik|nginx-proxy|swag/.test(base);
  const takesTheWeb = ports.some(({ published }) => published === 80 || published === 443);
  return isTraefik || (before && takesTheWeb) ? "proxy" : "app";
}
