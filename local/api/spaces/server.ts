import type { SpacesDoor } from "../../machines/machines";
import type { Context } from "../context";
import { preconditionFailed } from "../errors";
import { Rounds } from "../rounds";
import { ensureOperator, spacesSpec, type SpacesLogin } from "./model";

/** The account's S3 server: keeps the keys that it knows equal to the state. */
export class SpacesServer {
  private readonly rounds = new Rounds(() => this.apply());
  private door: SpacesDoor | undefined;

  constructor(private readonly context: () => Context) {}

  /** Resolves when the server, if anybody asked for one, knows the state's keys. */
  sync(): Promise<void> {
    return this.rounds.run();
  }

  /**
   * Has it run from now on.
   *
   * @throws {ApiError} 412 where machines are simulated: nothing there could keep a file.
   */
  async open(): Promise<SpacesDoor & SpacesLogin> {
    const { store, machines } = this.context();
    if (machines.kind === "simulated")
      throw preconditionFailed("there is no S3 server where machines are simulated");
    const operator = store.transaction(() => ensureOperator(store));
    await this.sync();
    if (!this.door) throw new Error("the S3 server has no address");
    return { ...this.door, ...operator };
  }

  private async apply(): Promise<void> {
    const { store, machines } = this.context();
    const spec = spacesSpec(store);
    if (spec) this.door = await machines.applySpaces(spec);
  }
}
