import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { Transform, type TransformCallback } from "node:stream";
import { pipeline } from "node:stream/promises";

/** Counts what passes. */
export class Counter extends Transform {
  bytes = 0;

  /** @param onBytes hears of the count, at each piece. */
  constructor(private readonly onBytes: (bytes: number) => void = () => undefined) {
    super({ highWaterMark: 1024 * 1024 });
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    this.bytes += chunk.length;
    this.onBytes(this.bytes);
    done(null, chunk);
  }
}

/** Counts and hashes what passes. */
export class Measure extends Counter {
  private readonly hash = createHash("sha256");

  /** Of everything that has passed: to be asked once, at the end. */
  sha256(): string {
    return this.hash.digest("hex");
  }

  override _transform(chunk: Buffer, encoding: BufferEncoding, done: TransformCallback): void {
    this.hash.update(chunk);
    super._transform(chunk, encoding, done);
  }
}

/** Reads a whole file. */
export async function sha256Of(file: string): Promise<{ bytes: number; sha256: string }> {
  const measure = new Measure();
  measure.resume();
  await pipeline(createReadStream(file), measure);
  return { bytes: measure.bytes, sha256: measure.sha256() };
}
