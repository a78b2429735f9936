import type { Server } from "node:http";
import { createServer } from "node:net";
import Docker from "dockerode";
import { DockerMachines, resetMachines } from "../../local/machines/docker";
import { execIn } from "../../local/machines/docker/engine";
import { ensureImages } from "../../local/machines/docker/images";
import { dropletName, INSTANCE_LABEL } from "../../local/machines/docker/names";
import { preflightReasons } from "../../local/machines/docker/preflight";
import {
  type DropletSpec,
  type FirewallRuleSpec,
  type NetworkSpec,
  RangeTaken,
  type VolumeSpec,
} from "../../local/machines/machines";
import { ask, eventually, keyPair, metadataServer, ssh } from "./fixture";

const INSTANCE = "b0b0b0";
const VPC = { id: "5a4981aa-9653-4bd1-bef5-d6bff52042e4", name: "test", ipRange: "10.99.0.0/20" };
const ANYWHERE = ["0.0.0.0/0"];
const UNASSIGNED = "127.251.9.9";

/** Says the client's address on ports 8080 to 8082, as an app would see it. */
const USER_DATA = `#cloud-config
write_files:
  - path: /etc/systemd/system/echo@.service
    content: |
      [Service]
      ExecStart=/usr/bin/socat TCP-LISTEN:%i,fork,reuseaddr SYSTEM:'echo $$SOCAT_PEERADDR'
      [Install]
      WantedBy=multi-user.target
runcmd:
  - systemctl enable --now echo@8080 echo@8081 echo@8082
  - touch /root/user-data-ran
`;

const key = keyPair();
const droplet = (id: number, userData = USER_DATA): DropletSpec => ({
  id,
  name: `node-${id}`,
  region: "fra1",
  image: "debian-12-x64",
  vcpus: 2,
  memoryMib: 2048,
  diskGib: 60,
  userData,
  sshPublicKeys: [key.publicKey],
  vpcId: VPC.id,
  privateIp: `10.99.0.${id}`,
  publicIp: `127.251.0.${id}`,
});
const first = droplet(2);
const second = droplet(3);
const volume: VolumeSpec = {
  id: "506f78a4-e098-11e5-ad9f-000f53306ae1",
  name: "data",
  sizeGib: 1,
  filesystemType: "xfs",
  filesystemLabel: "data",
};
const DEVICE = "/dev/disk/by-id/scsi-0DO_Volume_data";

const tcp = (ports: string, cidrs: readonly string[]): FirewallRuleSpec => ({
  protocol: "tcp",
  ports,
  cidrs,
});

const docker = new Docker();
const options = {
  instance: INSTANCE,
  directory: "/somewhere/.local",
  docker,
  publicPool: "127.251.0.0/16",
};
let machines = new DockerMachines(options);
let metadata: { readonly port: number; readonly server: Server };

function network(inbound: readonly FirewallRuleSpec[]): NetworkSpec {
  const outbound: FirewallRuleSpec[] = [tcp("0", ANYWHERE)];
  return {
    vpcs: [VPC],
    droplets: [first, second],
    addresses: [first, second].map(({ id, publicIp }) => ({
      address: publicIp ?? "",
      dropletId: id,
    })),
    // The second Droplet has no Firewall.
    firewalls: [{ id: "web", dropletIds: [first.id], inbound, outbound }],
    metadataPort: metadata.port,
  };
}
const OPEN = [tcp("22", ANYWHERE), tcp("8080", ANYWHERE), tcp("8081", ["127.0.0.7/32"])];

async function inside(id: number, command: string): Promise<string> {
  const container = docker.getContainer(dropletName(INSTANCE, id));
  const result = await execIn(container, ["sh", "-c", command]);
  return (result.stdout + result.stderr).trim();
}

const booted = (id: number) =>
  eventually(`Droplet ${id} to finish its user data`, async () => {
    const status = await machines.cloudInitStatus(id);
    if (status.state === "error") throw new Error(status.errors.join("; "));
    return status.state === "done";
  });

const reasonsNotTo: string[] = [];
beforeAll(async () => {
  reasonsNotTo.push(...(await preflightReasons(docker)));
  if (reasonsNotTo.length > 0) {
    process.stderr.write(`machines are not tested: ${reasonsNotTo.join("; ")}\n`);
    return;
  }
  await ensureImages(undefined, docker);
  await resetMachines(INSTANCE, docker);
  metadata = await metadataServer(new Map([first, second].map((d) => [d.privateIp, d.id])));
  await machines.createVpc(VPC);
  await machines.applyNetwork(network(OPEN));
  await Promise.all([machines.createDroplet(first), machines.createDroplet(second)]);
}, 600_000);

afterAll(async () => {
  if (reasonsNotTo.length > 0) return;
  metadata.server.close();
  await resetMachines(INSTANCE, docker);
}, 60_000);

/** A test that needs an engine; where there is none the reason has been printed. */
function onMachines(name: string, body: () => Promise<void>): void {
  it(name, async () => (reasonsNotTo.length > 0 ? undefined : body()), 300_000);
}

describe("a Droplet", () => {
  onMachines("boots, runs its user data, and lets the operator in by key", async () => {
    await booted(first.id);
    const answer = await eventually("sshd to answer", () =>
      ssh(first.publicIp ?? "", key.privateKey, "hostname; ls /root; systemctl is-system-running"),
    );
    expect(answer.split("\n")).toEqual(["node-2", "user-data-ran", "running"]);
  });

  onMachines(
    "sees each client at an address of its own, so that logs and limits work",
    async () => {
      await booted(first.id);
      const address = first.publicIp ?? "";
      expect(await ask(address, 8080, { from: "127.0.0.7" })).toBe("247.0.0.7");
      expect(await ask(address, 8080, { from: "127.3.2.1" })).toBe("247.3.2.1");
    },
  );

  onMachines("shows user data that fails as failed, with its last words", async () => {
    await booted(second.id);
    const failing = droplet(4, "#!/bin/sh\necho the disk smells of fire\nexit 3\n");
    await machines.createDroplet(failing);
    const status = await eventually("cloud-init to end", async () => {
      const now = await machines.cloudInitStatus(failing.id);
      return now.state !== "running" && now;
    });
    expect(status.state).toBe("error");
    expect(await machines.consoleLog(failing.id)).toContain("the disk smells of fire");
    await machines.destroyDroplet(failing.id);
    expect((await machines.observe()).has(failing.id)).toBe(false);
  });

  onMachines("learns who it is from the metadata service", async () => {
    const url = "http://169.254.169.254/metadata/v1/id";
    expect(await inside(first.id, `curl -sm 5 ${url}`)).toBe("2");
    expect(await inside(second.id, `curl -sm 5 ${url}`)).toBe("3");
  });

  onMachines("loads the program's images without the internet", async () => {
    const said = await inside(
      first.id,
      "docker run --rm --network none node:22-alpine node -p process.version",
    );
    expect(said).toContain("v22.");
    // What is nowhere is said to be nowhere, instead of waiting for an internet that is not there.
    expect(await inside(first.id, "docker pull no/such:1")).toContain("no such host");
  });

  onMachines("stays off when switched off, and changes size when resized", async () => {
    await machines.powerOff(second.id);
    expect((await machines.observe()).get(second.id)).toBe("off");
    await machines.resize(second.id, { vcpus: 4, memoryMib: 4096, diskGib: 80 });
    await machines.powerOn(second.id);
    const { HostConfig } = await docker.getContainer(dropletName(INSTANCE, second.id)).inspect();
    expect(HostConfig.CpuQuota).toBe(4 * (HostConfig.CpuPeriod ?? 0));
    expect(HostConfig.Memory).toBe(4096 * 2 ** 20);
    await machines.shutdown(second.id);
    expect((await machines.observe()).get(second.id)).toBe("off");
    await machines.powerOn(second.id);
    await booted(second.id);
  });
});

describe("a Firewall", () => {
  onMachines("drops what no rule allows and judges a client by its own address", async () => {
    const address = first.publicIp ?? "";
    await expect(ask(address, 8082)).rejects.toMatchObject({ code: "ETIMEDOUT" });
    await expect(ask(address, 8081)).rejects.toMatchObject({ code: "ETIMEDOUT" });
    expect(await ask(address, 8081, { from: "127.0.0.7" })).toBe("247.0.0.7");
  });

  onMachines("holds between Droplets of one VPC, and takes effect when it changes", async () => {
    await eventually("the second Droplet's services", () => ask(second.publicIp ?? "", 8082));
    const curl = (port: number) => `socat -T2 - TCP:10.99.0.2:${port},connect-timeout=1`;
    expect(await inside(second.id, curl(8080))).toBe("10.99.0.3");
    expect(await inside(second.id, curl(8082))).toContain("timed out");
    // A Droplet without a Firewall is open.
    expect(await inside(first.id, "socat -T2 - TCP:10.99.0.3:8082")).toBe("10.99.0.2");
    await machines.applyNetwork(network([...OPEN, tcp("8082", ["10.99.0.0/20"])]));
    expect(await inside(second.id, curl(8082))).toBe("10.99.0.3");
    await machines.applyNetwork(network(OPEN));
    expect(await inside(second.id, curl(8082))).toContain("timed out");
  });

  onMachines("is not needed to keep Droplets off this machine and off the internet", async () => {
    const service = createServer((socket) => socket.end("secret"));
    await new Promise<void>((resolve) => service.listen(0, "0.0.0.0", resolve));
    const { port } = service.address() as { port: number };
    try {
      expect(await ask("127.0.0.1", port)).toBe("secret");
      expect(await inside(second.id, `socat -T2 - TCP:10.99.0.1:${port}`)).toContain("No route");
      expect(await inside(second.id, "socat -T2 - TCP:192.0.2.200:80")).toContain("No route");
      // An address that leads nowhere must not lead to this machine's own services.
      await expect(ask(UNASSIGNED, port)).rejects.toMatchObject({ code: "ETIMEDOUT" });
    } finally {
      service.close();
    }
  });
});

describe("a Volume", () => {
  onMachines(
    "keeps its data through power cycles, growth, and a move to another Droplet",
    async () => {
      await machines.createVolume(volume);
      await machines.attachVolume(volume, first.id);
      expect(await inside(first.id, `blkid -o value -s TYPE ${DEVICE}`)).toBe("xfs");
      expect(await inside(second.id, `ls ${DEVICE}`)).toContain("No such file");
      const fstab = `${DEVICE} /mnt/data xfs defaults,nofail 0 2`;
      const setUp = `mkdir -p /mnt/data && echo '${fstab}' >> /etc/fstab && mount /mnt/data`;
      expect(await inside(first.id, `${setUp} && echo kept > /mnt/data/file && sync`)).toBe("");

      await machines.powerOff(first.id);
      await machines.powerOn(first.id);
      await eventually(
        "the Volume to be mounted at boot",
        async () => (await inside(first.id, "cat /mnt/data/file")) === "kept",
      );

      await machines.growVolume({ ...volume, sizeGib: 3 });
      await inside(first.id, "xfs_growfs /mnt/data");
      const size = Number(
        await inside(first.id, "df --output=size -BM /mnt/data | tail -1 | tr -dc 0-9"),
      );
      expect(size).toBeGreaterThan(2900);

      await machines.detachVolume(volume, first.id);
      expect(await inside(first.id, `ls ${DEVICE}`)).toContain("No such file");
      expect(await inside(first.id, "findmnt /mnt/data")).toBe("");
      await machines.attachVolume(volume, second.id);
      expect(await inside(second.id, `mount ${DEVICE} /mnt && cat /mnt/file`)).toBe("kept");
    },
  );
});

describe("a VPC", () => {
  onMachines("whose range another local DigitalOcean has is refused, naming that one", async () => {
    const other = new DockerMachines({ instance: "b0b0b1", docker });
    const inside = { ...VPC, id: "other", ipRange: "10.99.8.0/24" };
    await expect(other.createVpc(inside)).rejects.toThrow(RangeTaken);
    await expect(other.createVpc(inside)).rejects.toThrow(
      "in use by the local DigitalOcean in /somewhere/.local " +
        "(to remove that: ARCHIPELAGO_LOCAL_DIR=/somewhere/.local npm run local -- reset)",
    );
  });
});

describe("a restart of the daemon", () => {
  onMachines("changes nothing, and brings back what stopped meanwhile", async () => {
    await machines.close();
    await docker.getContainer(dropletName(INSTANCE, first.id)).kill();
    machines = new DockerMachines(options);
    await machines.restore({
      vpcs: [VPC],
      volumes: [{ ...volume, sizeGib: 3, dropletId: second.id }],
      droplets: [
        { ...first, power: "on" },
        { ...second, power: "on" },
      ],
      network: network(OPEN),
    });
    expect(await machines.observe()).toEqual(
      new Map([
        [first.id, "running"],
        [second.id, "running"],
      ]),
    );
    expect(await inside(second.id, "cat /mnt/file")).toBe("kept");
    await eventually("sshd to answer again", () =>
      ssh(first.publicIp ?? "", key.privateKey, "cat /etc/hostname"),
    );
  });

  onMachines("names what cannot be brought back instead of inventing it", async () => {
    const lost = droplet(9);
    const world = {
      vpcs: [VPC],
      volumes: [],
      droplets: [{ ...lost, power: "on" as const }],
      network: network(OPEN),
    };
    await expect(machines.restore(world)).rejects.toThrow("Droplet node-9: its container is gone");
  });
});

describe("reset", () => {
  onMachines("leaves no trace on the operator's machine", async () => {
    await resetMachines(INSTANCE, docker);
    const filters = { label: [`${INSTANCE_LABEL}=${INSTANCE}`] };
    expect(await docker.listContainers({ all: true, filters })).toEqual([]);
    expect(await docker.listNetworks({ filters })).toEqual([]);
    expect((await docker.listVolumes({ filters })).Volumes).toEqual([]);
    expect(
      await onHost(
        `nft list tables | grep archipelago_${INSTANCE}; ls -d /sys/class/net/ar${INSTANCE}-*; losetup -n -O BACK-FILE | grep ${volume.id}`,
      ),
    ).toBe("");
    await resetMachines(INSTANCE, docker);
  });
});

/** Looks at the host's network and devices from a passing container. */
async function onHost(script: string): Promise<string> {
  const { machine } = await ensureImages(undefined, docker);
  const container = await docker.createContainer({
    Image: machine,
    Cmd: ["sleep", "60"],
    HostConfig: { AutoRemove: true, NetworkMode: "host", CapAdd: ["NET_ADMIN"] },
  });
  await container.start();
  try {
    return (await execIn(container, ["sh", "-c", `{ ${script}; } 2>/dev/null`])).stdout.trim();
  } finally {
    await container.kill();
  }
}
