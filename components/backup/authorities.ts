/** Public authorities, and on local machines the local one too. */
export const AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt";

/** The node's authorities for a container, whatever its image has. */
export const AUTHORITIES_MOUNT = {
  type: "bind",
  source: AUTHORITIES,
  target: AUTHORITIES,
  readOnly: true,
} as const;
