import type { X509Certificate } from "node:crypto";
import { get as httpGet } from "node:http";
import { get as httpsGet } from "node:https";
import { connect } from "node:tls";

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly location: string | undefined;
}

/** Where a name is served, without asking DNS. */
export interface Place {
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

/** A browser's request: plain HTTP, or HTTPS when `ca` is given, and then only with a certificate for the name. */
export function visit(
  { name, address, port }: Place,
  options: { readonly ca?: string; readonly path?: string; readonly host?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const common = {
      host: address,
      port,
      path: options.path ?? "/",
      headers: { host: options.host ?? name },
      agent: false as const,
    };
    const outgoing =
      options.ca === undefined
        ? httpGet(common)
        : httpsGet({ ...common, servername: name, ca: options.ca });
    outgoing.once("error", reject);
    outgoing.once("response", (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => (body += chunk.toString()));
      response.once("end", () =>
        resolve({ status: response.statusCode ?? 0, body, location: response.headers.location }),
      );
    });
  });
}

/** The certificate that is served for the name, whoever signed it. */
export function servedCertificate({ name, address, port }: Place): Promise<X509Certificate> {
  return new Promise((resolve, reject) => {
    const socket = connect(
      { host: address, port, servername: name, rejectUnauthorized: false },
      () => {
        const certificate = socket.getPeerX509Certificate();
        socket.destroy();
        if (certificate) resolve(certificate);
        else reject(new Error("no certificate was presented"));
      },
    );
    socket.once("error", reject);
  });
}
