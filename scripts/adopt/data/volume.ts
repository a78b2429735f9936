/** A service's files on the stack's Volume: a copy is made beside them, and takes their place while no task runs. */
import { VOLUME_MOUNT } from "../../../infra/names";
import { Fault } from "../../../local/fault";
import type { Host } from "./host";
import { Directory } from "./tree";

const SERVICES = `${VOLUME_MOUNT}/services`;

export class ServiceVolume {
  /** Where the copy is made: on the same file system, so that its place is taken at once. */
  readonly copy: Directory;

  /** @param services directory with those of all services. */
  constructor(
    private readonly host: Host,
    readonly service: string,
    private readonly services = SERVICES,
  ) {
    this.copy = new Directory(host, `${services}/.adopt-${service}`);
  }

  /** @throws {Fault} when the stack keeps nothing for the service. */
  async mustExist(): Promise<void> {
    const { host, service, services } = this;
    // In the middle of `takePlace` it may be missing for a moment, and for longer when that was killed.
    const there = await host.succeeds(
      'test -d "$1" || test -d "$2"',
      `${services}/${service}`,
      this.copy.path,
    );
    if (there) return;
    throw new Fault(
      `The stack keeps no files for ${service}: give the service \`volume:\` with the directory that it keeps, and run up.`,
    );
  }

  /** Bytes that still fit on the Volume. */
  async room(): Promise<number> {
    return Number(await this.host.output('df -B1 --output=avail "$1" | tail -n 1', this.services));
  }

  /**
   * The copy becomes the service's directory; what was there is kept. No task may run.
   *
   * @param label tells what is kept from others: `20261121t201500z`.
   * @returns the path of what is kept; undefined when there was nothing.
   */
  async takePlace(label: string): Promise<string | undefined> {
    const { service, services } = this;
    const kept = `${services}/${service}.before-${label}`;
    const said = await this.host.output(
      `if [ -n "$(ls -A "$1" 2>/dev/null)" ]; then mv -T "$1" "$2"; echo kept; elif [ -d "$1" ]; then rmdir "$1"; fi; mv -T "$3" "$1"; sync -f "$1"`,
      `${services}/${service}`,
      kept,
      this.copy.path,
    );
    return said.trim() === "kept" ? kept : undefined;
  }

  /** Removes the copy. */
  async discard(): Promise<void> {
    await this.host.output('rm -rf -- "$1"', this.copy.path);
  }
}
