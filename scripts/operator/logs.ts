/** `npm run logs -- <stack> [service…]`: what the app says. */
import { once } from "node:events";
import { PassThrough } from "node:stream";
import { createInterface } from "node:readline";
import type Docker from "dockerode";
import pc from "picocolors";
import { Fault } from "../../local/fault";
import { demultiplex } from "../../providers/swarm/docker/logs";
import { closeConnections } from "../../providers/swarm/ssh/pool";
import { findTarget, managerOf, type Site, sitesOf } from "./target";

const COLOURS = [pc.cyan, pc.magenta, pc.green, pc.yellow, pc.blue];

export async function logs(
  stack: string,
  wanted: readonly string[],
  options: { cloud?: boolean; follow?: boolean; tail?: string },
): Promise<number> {
  const target = await findTarget(stack, options.cloud ?? false);
  const tail = Number(options.tail ?? 100);
  if (!Number.isInteger(tail) || tail < 0) {
    throw new Fault(`--tail must be a whole number of lines, got ${options.tail ?? ""}`);
  }
  try {
    const all = await servicesOf(sitesOf(target));
    const names = [...new Set(all.map(({ service }) => service))].sort();
    const unknown = wanted.filter((name) => !names.includes(name));
    if (unknown.length > 0) {
      throw new Fault(
        `There is no service ${unknown.join(", ")} in ${stack}: it has ${names.join(", ")}.`,
      );
    }
    // Without a name: the app's own services.
    const chosen = wanted.length > 0 ? wanted : Object.keys(target.outputs.services);
    const services = all.filter(({ service }) => chosen.includes(service));
    // Whoever followed is gone (`| head`).
    process.stdout.once("error", () => process.exit());
    await Promise.all(
      services.map(({ engine, id, name }, index) =>
        show(engine, id, { name, colour: index, follow: options.follow ?? false, tail }),
      ),
    );
    return 0;
  } finally {
    closeConnections();
  }
}

interface FoundService {
  readonly engine: Docker;
  readonly id: string;
  /** As the stack file calls it. */
  readonly service: string;
  /** The same, told from that of another site. */
  readonly name: string;
}

/** A site that does not answer is told; others go on. @throws {Fault} when none answers. */
async function servicesOf(sites: readonly Site[]): Promise<FoundService[]> {
  const asked = await Promise.allSettled(
    sites.map(async (site) => {
      const engine = await managerOf(site);
      const services = await engine.listServices();
      return services.map(({ ID, Spec }) => {
        const service = Spec?.Name ?? ID;
        return { engine, id: ID, service, name: site.nameOf(service) };
      });
    }),
  );
  const problems = asked.flatMap((one) =>
    one.status === "rejected" ? [(one.reason as Error).message] : [],
  );
  if (problems.length === sites.length) throw new Fault(problems.join("\n"));
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  return asked.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
}

async function show(
  engine: Docker,
  id: string,
  { name, colour, follow, tail }: { name: string; colour: number; follow: boolean; tail: number },
): Promise<void> {
  const prefix = (COLOURS[colour % COLOURS.length] ?? pc.cyan)(`${name} | `);
  const service = engine.getService(id);
  const query = { stdout: true, stderr: true, tail, timestamps: false, details: false };
  if (!follow) {
    const stream = (await service.logs({ ...query, follow: false })) as unknown as
      NodeJS.ReadableStream | Buffer;
    const text = demultiplex(Buffer.isBuffer(stream) ? stream : await collect(stream));
    for (const line of text.split("\n").filter(Boolean)) process.stdout.write(`${prefix}${line}\n`);
    return;
  }
  const stream = await service.logs({
    ...query,
    follow: true,
  });
  const plain = new PassThrough();
  engine.modem.demuxStream(stream, plain, plain);
  createInterface({ input: plain }).on("line", (line) =>
    process.stdout.write(`${prefix}${line}\n`),
  );
  await once(stream, "end");
}

async function collect(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
