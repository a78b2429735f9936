import type { Context } from "../context";
import type { JobParams, Transition } from "../lifecycle";
import { vpcSpec } from "../vpcs/model";
import { type DatabaseRecord, findReplica, patchReplica, withEvent } from "./model";

const patch =
  (changes: (context: Context, database: DatabaseRecord) => Partial<DatabaseRecord>) =>
  (context: Context, { databaseId = "" }: JobParams): void => {
    const database = context.store.databases.get(databaseId);
    if (database) context.store.databases.patch(databaseId, changes(context, database));
  };

const online = patch((context, database) => ({
  status: "online",
  failure: undefined,
  events: withEvent(
    context,
    database,
    database.status === "creating" ? "cluster_create" : "cluster_update",
  ),
}));

/** A cluster that could not be made stays `creating`, as DigitalOcean has no word for it; the operator sees why. */
const note = (context: Context, { databaseId = "" }: JobParams, message: string) =>
  context.store.databases.patch(databaseId, { failure: message });

/** What a change has already become goes on to be the wish; the next change tries again. */
const noteAndGoOn = (context: Context, params: JobParams, message: string) => {
  note(context, params, message);
  context.store.databases.patch(params.databaseId ?? "", { status: "online" });
};

async function bring({ store, machines, databases, network }: Context, id: string): Promise<void> {
  const database = store.databases.get(id);
  const vpc = database && store.vpcs.get(database.vpcId);
  if (!vpc) return;
  await machines.createVpc(vpcSpec(vpc));
  // The trusted sources are in force before the server is.
  await network.sync();
  await databases.sync(id);
}

export const databaseTransitions: Record<string, Transition> = {
  "database.create": {
    seconds: 300,
    perform: (context, { databaseId = "" }) => bring(context, databaseId),
    apply: online,
    fail: note,
  },
  // Replicas can be made from then on.
  "database.first-backup": {
    seconds: 420,
    finish: patch(({ now }, { backups }) => ({ backups: [...backups, now().toISOString()] })),
  },
  "database.resize": {
    seconds: 300,
    perform: (context, { databaseId = "" }) => bring(context, databaseId),
    apply: online,
    fail: noteAndGoOn,
  },
  "database.migrate": {
    seconds: 600,
    perform: (context, { databaseId = "" }) => bring(context, databaseId),
    apply: online,
    fail: noteAndGoOn,
  },
  "database.upgrade": {
    seconds: 300,
    perform: async (context, { databaseId = "", version }) => {
      if (version === undefined) return;
      context.store.transaction(() => context.store.databases.patch(databaseId, { version }));
      await bring(context, databaseId);
    },
    apply: online,
    fail: noteAndGoOn,
  },
  "database.delete": {
    seconds: 10,
    perform: ({ databases }, { databaseId = "" }) => databases.delete(databaseId),
    apply: ({ store }, { databaseId = "" }) => store.databases.remove(databaseId),
    fail: (context, params, message) => {
      note(context, params, message);
      context.store.databases.patch(params.databaseId ?? "", { deleting: false });
    },
  },
  "database.create-replica": {
    seconds: 300,
    perform: ({ databases }, { databaseId = "" }) => databases.sync(databaseId),
    apply: ({ store }, { replicaId = "" }) => patchReplica(store, replicaId, { status: "online" }),
    fail: note,
  },
  "database.resize-replica": {
    seconds: 300,
    finish: ({ store }, { replicaId = "" }) => {
      if (findReplica(store, replicaId)) patchReplica(store, replicaId, { status: "online" });
    },
  },
  "database.online-migration": {
    seconds: 120,
    perform: ({ machines }) =>
      machines.kind === "simulated"
        ? Promise.resolve()
        : Promise.reject(
            new Error("local database servers copy nothing from other servers: use pg_dump"),
          ),
    finish: patch((_context, { migration }) => ({
      migration: migration?.status === "running" ? { ...migration, status: "done" } : migration,
    })),
    fail: patch((_context, { migration }) => ({
      migration: migration && { ...migration, status: "error" },
    })),
  },
};
