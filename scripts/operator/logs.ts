/** `npm run logs -- <stack> [service…]`: what the app says. */
import { once } from "node:events";
import { PassThrough } from "node:stream";
import { createInterface } from "node:readline";
import type Docker from "dockerode";
import pc from "picocolors";
import { Fault } from "../../local/fault";
import { demultiplex } from "../../providers/swarm/docker/logs";
import { closeConnections } from "../../providers/swarm/ssh/pool";
import { findTarget, managerOf } from "./target";

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
    const engine = await managerOf(target);
    const all = await engine.listServices();
    const names = all.map(({ Spec }) => Spec?.Name ?? "");
    const unknown = wanted.filter((name) => !names.includes(name));
    if (unknown.length > 0) {
      throw new Fault(
        `There is no service ${unknown.join(", ")} in ${stack}: it has ${names.sort().join(", ")}.`,
      );
    }
    // Without a name: the app's own services.
    const chosen = wanted.length > 0 ? wanted : Object.keys(target.outputs.services);
    const services = all.filter(({ Spec }) => chosen.includes(Spec?.Name ?? ""));
    await Promise.all(
      services.map(({ ID, Spec }, index) =>
        show(engine, ID, {
          name: Spec?.Name ?? ID,
          colour: index,
          follow: options.follow ?? false,
          tail,
        }),
      ),
    );
    return 0;
  } finally {
    closeConnections();
  }
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
