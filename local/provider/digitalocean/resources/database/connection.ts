import { text, type Values } from "../../../framework/values";

export interface ApiConnection {
  readonly uri: string;
  readonly database?: string;
  readonly host: string;
  readonly port: number;
  readonly user?: string;
  readonly password?: string;
}

export interface Connected {
  readonly connection?: ApiConnection | null;
  readonly private_connection?: ApiConnection | null;
}

/** Outputs of {@link connectionState} that are secret. */
export const SECRET_CONNECTION = ["password", "uri", "privateUri"] as const;

/**
 * How a cluster or pool is reached: `host` and `uri` by the public name, `privateHost` and `privateUri` by the
 * one inside the VPC.
 *
 * @param known what is stored: the password that a read-only token does not see stays (P database/
 *   resource_database_cluster.go: buildDBConnectionURI)
 */
export function connectionState(
  { connection, private_connection: inner }: Connected,
  known: Values,
): Values {
  const password = connection?.password || text(known.password);
  return {
    ...(connection
      ? {
          host: connection.host,
          port: connection.port,
          password,
          uri: withPassword(connection, password),
        }
      : {}),
    ...(inner ? { privateHost: inner.host, privateUri: withPassword(inner, password) } : {}),
  };
}

function withPassword(connection: ApiConnection, password: string): string {
  if (!connection.uri) {
    return "";
  }
  const uri = new URL(connection.uri);
  uri.username = encodeURIComponent(connection.user ?? "");
  uri.password = encodeURIComponent(password);
  return uri.toString();
}

/** The parts of an import's ID, `<cluster ID>,<name>`, or what is stored. */
export function clusterAndName(id: string, known: Values): readonly [string, string] {
  const [cluster = "", name = ""] = id.includes(",")
    ? id.split(",")
    : [text(known.clusterId), text(known.name)];
  return [cluster, name];
}
