import { createHash } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { archive } from "../../../local/machines/docker/files";
import { downloadS3Program, S3_VERSION } from "../../../local/s3/program";

const name = `versitygw_v${S3_VERSION}_Linux_${process.arch === "x64" ? "x86_64" : process.arch}`;

describe("the S3 server's release", () => {
  let server: Server;
  let files: Record<string, string | Buffer>;
  beforeEach(async () => {
    const packed = gzipSync(
      await archive([
        { name: `${name}/README.md`, content: "read me" },
        { name: `${name}/versitygw`, content: "the program" },
      ]),
    );
    const digest = createHash("sha256").update(packed).digest("hex");
    files = {
      [`/v${S3_VERSION}/checksums.txt`]: `${"0".repeat(64)}  other.tar.gz\n${digest}  ${name}.tar.gz\n`,
      [`/v${S3_VERSION}/${name}.tar.gz`]: packed,
    };
    server = createServer(({ url = "" }, response) => {
      const file = files[url];
      response.writeHead(file === undefined ? 404 : 200).end(file);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  const download = () =>
    downloadS3Program(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);

  it("is taken out of its archive", async () => {
    expect((await download()).toString()).toBe("the program");
  });

  it("is not used when it is not what the list of checksums says, or is not there", async () => {
    files[`/v${S3_VERSION}/${name}.tar.gz`] = gzipSync("another program");
    await expect(download()).rejects.toThrow(`${name}.tar.gz is damaged`);
    delete files[`/v${S3_VERSION}/${name}.tar.gz`];
    await expect(download()).rejects.toThrow("404");
  });
});
