import { dropletContainer } from "../../../local/machines/docker/droplet-container";
import { bridgeName } from "../../../local/machines/docker/names";
import { metaData } from "../../../local/machines/docker/seed";
import type { DropletSpec } from "../../../local/machines/machines";

const droplet: DropletSpec = {
  id: 42,
  name: "web-1",
  region: "fra1",
  image: "debian-12-x64",
  vcpus: 2,
  memoryMib: 4096,
  diskGib: 80,
  userData: "#cloud-config\n",
  sshPublicKeys: ["ssh-ed25519 AAAA operator"],
  vpcId: "vpc-1",
  privateIp: "10.99.0.2",
  publicIp: "127.20.0.1",
};
const host = { instance: "abc123", image: "machine:1" } as const;

describe("a Droplet's container", () => {
  it("boots systemd and an inner engine without privileges that sandboxes lack", () => {
    expect(dropletContainer(droplet, host)).toEqual({
      name: "archipelago-abc123-droplet-42",
      Image: "machine:1",
      Hostname: "web-1",
      Env: ["container=docker"],
      Labels: {
        "archipelago.instance": "abc123",
        "archipelago.role": "droplet",
        "archipelago.id": "42",
      },
      StopSignal: "SIGRTMIN+3",
      HostConfig: {
        MaskedPaths: [],
        ReadonlyPaths: [],
        CpuPeriod: 100_000,
        CpuQuota: 200_000,
        Memory: 4 * 2 ** 30,
        MemorySwap: 4 * 2 ** 30,
        CgroupnsMode: "private",
        NetworkMode: "archipelago-abc123-vpc-vpc-1",
        Dns: ["169.254.169.253"],
        CapAdd: ["ALL"],
        CapDrop: ["SYS_RESOURCE"],
        SecurityOpt: ["seccomp=unconfined", "apparmor=unconfined"],
        DeviceCgroupRules: ["a *:* rwm"],
        Tmpfs: { "/run": "exec", "/tmp": "exec" },
        Binds: [
          "archipelago-abc123-droplet-42-docker:/var/lib/docker",
          "archipelago-abc123-droplet-42-containerd:/var/lib/containerd",
        ],
        RestartPolicy: { Name: "unless-stopped" },
        LogConfig: { Type: "json-file", Config: { "max-size": "1m", "max-file": "1" } },
      },
      NetworkingConfig: {
        EndpointsConfig: {
          "archipelago-abc123-vpc-vpc-1": { IPAMConfig: { IPv4Address: "10.99.0.2" } },
        },
      },
    });
  });

  it("says to cloud-init who the machine is and who may log in", () => {
    expect(JSON.parse(metaData(droplet))).toEqual({
      "instance-id": "42",
      "local-hostname": "web-1",
      "public-keys": ["ssh-ed25519 AAAA operator"],
    });
  });

  it("stands on a bridge whose name the kernel accepts", () => {
    const name = bridgeName("abc123", "5a4981aa-9653-4bd1-bef5-d6bff52042e4");
    expect(name).toMatch(/^arabc123-[0-9a-f]{6}$/);
    expect(name.length).toBeLessThanOrEqual(15);
  });
});
