import { z } from "zod";
import type { Context } from "../protocol/resource";
import type { SshConnection } from "../ssh/connection";
import { messageOf, waitUntil, type Attempt } from "../wait";

/** A DigitalOcean Volume that user data mounts. */
export interface MountedVolume {
  /** `/dev/disk/by-id/scsi-0DO_Volume_<name>`. */
  readonly device: string;
  readonly mountPoint: string;
  readonly sizeGib: number;
  /** Made when missing; `path` is relative to the mount point, `mode` octal. */
  readonly directories?:
    readonly { readonly path: string; readonly mode?: string | undefined }[] | undefined;
}

const findmnt = z.object({
  filesystems: z.array(z.object({ source: z.string(), fstype: z.string() })).min(1),
});

/** The command that fills a grown device, by type of file system. Each does nothing when it is full already. */
const growCommands: Readonly<
  Record<string, (mount: { source: string; target: string }) => string>
> = {
  xfs: ({ target }) => `xfs_growfs '${target}'`,
  ext4: ({ source }) => `resize2fs '${source}'`,
};

/** Waits until the Volume is mounted and as large as it should be, and grows its file system to that size. */
export async function ensureVolume(
  connection: SshConnection,
  volume: MountedVolume,
  context: Context,
): Promise<void> {
  const { source, fstype } = await waitUntil(
    {
      what: `the Volume at ${volume.mountPoint} on ${context.name}`,
      timeoutSeconds: 120,
      context,
    },
    async (): Promise<Attempt<{ source: string; fstype: string }>> => {
      const { exitCode, stdout } = await connection.run(
        `findmnt --json --output SOURCE,FSTYPE --mountpoint '${volume.mountPoint}'\n`,
      );
      if (exitCode !== 0) return { pending: `${volume.device} is not mounted there` };
      const mount = findmnt.parse(JSON.parse(stdout)).filesystems.at(-1);
      return mount ? { done: mount } : { pending: "not mounted" };
    },
  );
  const wanted = volume.sizeGib * 2 ** 30;
  await waitUntil(
    { what: `${volume.sizeGib} GiB on ${volume.device}`, timeoutSeconds: 60, context },
    async (): Promise<Attempt<true>> => {
      const size = Number(
        await connection.output("reading the Volume's size", `blockdev --getsize64 '${source}'\n`),
      );
      return size >= wanted
        ? { done: true }
        : { pending: `the device has ${(size / 2 ** 30).toFixed(1)} GiB` };
    },
  );
  await growFileSystem(connection, source, fstype, volume, context);
  await makeDirectories(connection, volume);
}

async function growFileSystem(
  connection: SshConnection,
  source: string,
  fstype: string,
  volume: MountedVolume,
  context: Context,
): Promise<void> {
  const grow = growCommands[fstype];
  if (!grow) {
    context.log.warn(
      `${volume.mountPoint} on ${context.name} is ${fstype}: only xfs and ext4 are grown, grow it yourself`,
    );
    return;
  }
  await connection.output(
    `growing ${volume.mountPoint}`,
    `${grow({ source, target: volume.mountPoint })} >&2\n`,
    300,
  );
}

async function makeDirectories(connection: SshConnection, volume: MountedVolume): Promise<void> {
  const lines = (volume.directories ?? []).map(({ path, mode = "0755" }) => {
    const directory = `'${volume.mountPoint}/${path}'`;
    return `[ -d ${directory} ] || { mkdir -p ${directory}; chmod ${mode} ${directory}; }\n`;
  });
  if (lines.length > 0) await connection.output("making directories", lines.join(""));
}

/** Unmounts the Volume, so that it can be detached whole; a busy one is reported, since the Droplet goes anyway. */
export async function releaseVolume(
  connection: SshConnection,
  volume: MountedVolume,
  context: Context,
): Promise<void> {
  try {
    await waitUntil(
      { what: `${volume.mountPoint} to be free on ${context.name}`, timeoutSeconds: 20, context },
      async (): Promise<Attempt<true>> => {
        const { exitCode, stderr } = await connection.run(
          `sync
findmnt --mountpoint '${volume.mountPoint}' >/dev/null || exit 0
umount '${volume.mountPoint}'
`,
        );
        return exitCode === 0 ? { done: true } : { pending: stderr.trim() };
      },
    );
  } catch (error) {
    context.log.warn(`${volume.mountPoint} is detached while mounted: ${messageOf(error)}`);
  }
}
