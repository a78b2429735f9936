import { Secret, text, type Values } from "../../framework/values";
import { fromApi } from "../spelling";
import { clusterState, type ApiDatabaseCluster } from "../resources/database/cluster-state";
import { SECRET_CONNECTION } from "../resources/database/connection";
import { SECRET_USER, userState, type ApiDatabaseUser } from "../resources/database/user";
import { single, type Invoke } from "./lookup";

const sealed = (values: Values, secret: readonly string[]): Values =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      secret.includes(name) ? new Secret(value) : value,
    ]),
  );

/** The certificate authority that clients of a cluster trust. */
export const getDatabaseCa: Invoke = async (client, args) => {
  const clusterId = text(args.clusterId);
  const { ca } = await client.get<{ ca: { certificate: string } }>(`/databases/${clusterId}/ca`);
  // The API answers in base64, which godo decodes into bytes.
  const certificate = Buffer.from(ca.certificate, "base64").toString();
  return { id: clusterId, clusterId, certificate };
};

export const getDatabaseCluster: Invoke = async (client, args) => {
  const found = await client.all<ApiDatabaseCluster>("/databases", "databases");
  const cluster = single(
    found.filter(({ name }) => name === args.name),
    `database cluster with name ${text(args.name)}`,
  );
  const { maintenance_window: window, autoscale } = cluster;
  return {
    id: cluster.id,
    urn: `do:dbaas:${cluster.id}`,
    ...sealed(clusterState(cluster, {}), [...SECRET_CONNECTION, "uiPassword", "uiUri"]),
    maintenanceWindows: window ? [{ day: window.day, hour: window.hour }] : [],
    storageAutoscales: autoscale?.storage ? [fromApi(autoscale.storage)] : [],
  };
};

export const getDatabaseUser: Invoke = async (client, args) => {
  const [clusterId, name] = [text(args.clusterId), text(args.name)];
  const { user } = await client.get<{ user: ApiDatabaseUser }>(
    `/databases/${clusterId}/users/${encodeURIComponent(name)}`,
  );
  return { id: `${clusterId}/user/${name}`, ...sealed(userState(user, clusterId), SECRET_USER) };
};
