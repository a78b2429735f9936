import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { Transform, type TransformCallback } from "node:stream";
import { pipeline } from "node:stream/promises";

/** Counts and hashes what passes. */
export class Measure extends Transform {
  private readonly hash = createHash("sha256");
  bytes = 0;

  /** @param onBytes hears of the count at most once in a while. */
  constructor(private readonly onBytes: (bytes: number) => void = () => undefined) {
    super({ highWaterMark: 1024 * 1024 });
  }

  /** Of everything that has passed: to be asked once, at the end. */
  sha256(): string {
    return this.hash.digest("hex");
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    this.hash.update(chunk);
    this.bytes += chunk.length;
    this.onBytes(this.bytes);
    done(null, chunk);
  }
}

/** Reads a whole file. */
export async function sha256Of(file: string): Promise<{ bytes: number; sha256: string }> {
  const measure = new Measure();
  measure.resume();
  await pipeline(createReadStream(file), measure);
  return { bytes: measure.bytes, sha256: measure.sha256() };
}
