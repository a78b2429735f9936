import type Docker from "dockerode";
import { execOrThrow, isAlreadySo, orMissing } from "./engine";
import { bridgePrefix, objectLabels, objectName, tableName } from "./names";
import { CLIENT_RANGE } from "./network";

/** Where the helper sees the files of Volumes. */
const VOLUMES_DIR = "/volumes";

/**
 * Our hands on the host: a container in the host's network namespace that may change packet rules and loop
 * devices. It idles; every action is a command run in it.
 */
export class Host {
  private constructor(
    private readonly container: Docker.Container,
    private readonly instance: string,
  ) {}

  /** Finds or starts the instance's helper. */
  static async open(docker: Docker, instance: string, image: string): Promise<Host> {
    const name = objectName(instance, "helper");
    const container = docker.getContainer(name);
    const existing = await orMissing(container.inspect());
    if (existing && existing.Config.Image !== image) await container.remove({ force: true });
    if (existing?.Config.Image !== image) {
      const volume = objectName(instance, "volumes");
      await docker.createVolume({ Name: volume, Labels: objectLabels(instance, "volumes") });
      await docker.createContainer(helperContainer(name, volume, instance, image));
    }
    await container.start().catch((error: unknown) => {
      if (!isAlreadySo(error)) throw error;
    });
    return new Host(container, instance);
  }

  /** Replaces the packet rules at once, and makes every bridge of the instance obey them. */
  async applyRules(ruleset: string): Promise<void> {
    const script = `
ip route replace local ${CLIENT_RANGE} dev lo
for bridge in /sys/class/net/"$1"*; do
  [ -e "$bridge" ] || continue
  echo 1 > "/proc/sys/net/ipv4/conf/$(basename "$bridge")/route_localnet"
  # Packets between Droplets on one bridge pass the same rules as routed ones.
  echo 1 > "$bridge/bridge/nf_call_iptables"
done
exec nft -f -`;
    await this.run("apply the network rules", script, [bridgePrefix(this.instance)], ruleset);
  }

  /** Removes packet rules; the route too, when no other instance needs it. */
  async removeRules(): Promise<void> {
    const script = `
nft delete table ip "$1" 2>/dev/null || :
nft list tables | grep -q ' archipelago_' || ip route del local ${CLIENT_RANGE} dev lo 2>/dev/null
:`;
    await this.run("remove the network rules", script, [tableName(this.instance)]);
  }

  /** Makes a Volume's file, formatted where asked; leaves one that exists as it is. */
  async createFile(
    id: string,
    sizeGib: number,
    filesystem: { readonly type: "ext4" | "xfs"; readonly label: string } | undefined,
  ): Promise<void> {
    const script = `
file="${VOLUMES_DIR}/$1"
[ -e "$file" ] && exit 0
rm -f "$file.new"
truncate -s "$2G" "$file.new"
case "$3" in
  xfs) mkfs.xfs -q -L "$4" "$file.new" ;;
  ext4) mkfs.ext4 -q -F -L "$4" "$file.new" ;;
esac
mv "$file.new" "$file"`;
    const args = [id, String(sizeGib), filesystem?.type ?? "", filesystem?.label ?? ""];
    await this.run(`create Volume ${id}`, script, args);
  }

  /** Grows a Volume's file and its device; never shrinks. */
  async growFile(id: string, sizeGib: number): Promise<void> {
    const script = `
file="${VOLUMES_DIR}/$1"
truncate -s ">$2G" "$file"
for device in $(losetup -n -O NAME -j "$file"); do losetup -c "$device"; done`;
    await this.run(`grow Volume ${id}`, script, [id, String(sizeGib)]);
  }

  /**
   * Gives a Volume's file a loop device, the one it has already where there is one.
   *
   * @returns the device's number, and whether it was made just now.
   * @throws {Error} when the Volume's file is gone.
   */
  async attachLoop(id: string): Promise<{ readonly loop: number; readonly fresh: boolean }> {
    const script = `
file="${VOLUMES_DIR}/$1"
[ -e "$file" ] || { echo "its data is gone" >&2; exit 1; }
device=$(losetup -n -O NAME -j "$file" | head -n 1)
if [ -n "$device" ]; then echo "$device"; else echo "$(losetup -f --show "$file") fresh"; fi`;
    const said = await this.run(`attach Volume ${id}`, script, [id]);
    const match = /^\/dev\/loop(\d+)( fresh)?\s*$/.exec(said);
    if (!match) throw new Error(`could not attach Volume ${id}: losetup said "${said.trim()}"`);
    return { loop: Number(match[1]), fresh: match[2] !== undefined };
  }

  /** Frees a Volume's device and file; fine when there are none. */
  async deleteFile(id: string): Promise<void> {
    await this.run(`delete Volume ${id}`, `${FREE_LOOPS}\nrm -f "$file"`, [id]);
  }

  /** Frees the loop devices of all Volumes of the instance; the files stay. */
  async freeLoops(): Promise<void> {
    const script = `
for path in ${VOLUMES_DIR}/*; do
  [ -e "$path" ] || continue
  set -- "$(basename "$path")"
  ${FREE_LOOPS}
done`;
    await this.run("free the Volumes' devices", script, []);
  }

  private run(
    purpose: string,
    script: string,
    args: readonly string[],
    stdin?: string,
  ): Promise<string> {
    return execOrThrow(this.container, purpose, ["sh", "-euc", script, "sh", ...args], stdin);
  }
}

const FREE_LOOPS = `file="${VOLUMES_DIR}/$1"
[ -e "$file" ] && for device in $(losetup -n -O NAME -j "$file"); do losetup -d "$device"; done`;

function helperContainer(
  name: string,
  volume: string,
  instance: string,
  image: string,
): Docker.ContainerCreateOptions {
  const unmasked = { MaskedPaths: [], ReadonlyPaths: [] };
  return {
    name,
    Image: image,
    Labels: objectLabels(instance, "helper"),
    Cmd: ["sleep", "infinity"],
    StopSignal: "SIGKILL",
    HostConfig: {
      ...unmasked,
      Init: true,
      NetworkMode: "host",
      CapAdd: ["NET_ADMIN", "SYS_ADMIN", "MKNOD"],
      SecurityOpt: ["apparmor=unconfined", "seccomp=unconfined"],
      DeviceCgroupRules: ["b 7:* rwm", "c 10:237 rwm"],
      Binds: ["/dev:/dev", "/sys:/sys", `${volume}:${VOLUMES_DIR}`],
      RestartPolicy: { Name: "unless-stopped" },
    },
  };
}
