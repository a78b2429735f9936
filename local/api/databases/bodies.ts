import type { Context } from "../context";
import { Rounds } from "../rounds";
import { databaseSpec, type DatabaseRecord, hostsOf } from "./model";

/** Days that a server's certificate holds. */
const certificateDays = 3000;

/** Keeps the servers of database clusters equal to the state. */
export class DatabaseBodies {
  private readonly rounds = new Map<string, Rounds>();

  constructor(private readonly context: () => Context) {}

  /** Resolves when the cluster's server is as the state was at this call, or as it has become since. */
  sync(id: string): Promise<void> {
    const rounds = this.rounds.get(id) ?? new Rounds(() => this.apply(id));
    this.rounds.set(id, rounds);
    return rounds.run();
  }

  async delete(id: string): Promise<void> {
    await this.context().machines.deleteDatabase(id);
    this.rounds.delete(id);
  }

  private async apply(id: string): Promise<void> {
    const { store, machines } = this.context();
    const database = store.databases.get(id);
    if (!database || database.deleting) return;
    const tls = await this.certificateOf(database);
    await machines.applyDatabase(databaseSpec(store.databases.get(id) ?? database, tls));
  }

  /** The server's certificate, issued anew when its names have changed. */
  private async certificateOf(
    database: DatabaseRecord,
  ): Promise<NonNullable<DatabaseRecord["tls"]>> {
    const { store, authority } = this.context();
    const names = [...hostsOf(store, database), ...database.serviceCnames];
    const { tls } = database;
    if (tls && names.every((name) => tls.names.includes(name))) return tls;
    const { keyPem, leafPem } = await authority.issue(names, certificateDays);
    const issued = { keyPem, certificatePem: `${leafPem}${authority.pem}`, names };
    store.transaction(() => store.databases.patch(database.id, { tls: issued }));
    return issued;
  }
}
