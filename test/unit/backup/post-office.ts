/** A web server and a mail server on loopback, which keep what they get. */
import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";
import type { AlarmWays } from "../../../components/backup/watch-settings";
import { httpServer } from "../../acme/harness";
import { TestAuthority } from "../../machines/certificates";

export const PASSWORD = "hunter2-of-the-mailbox";
export const PATH = "/hooks/T0/secret-part";

export interface Post {
  readonly severity: string;
  readonly text: string;
  readonly problems: readonly { readonly name: string }[];
}

export class PostOffice {
  readonly posts: Post[] = [];
  readonly mails: string[] = [];
  /** Of everybody who tried to log in. */
  readonly logins: string[] = [];
  /** What the web server answers. */
  status = 200;

  private constructor(
    readonly ways: Required<AlarmWays> & { readonly mail: NonNullable<AlarmWays["mail"]> },
    private readonly close: () => Promise<void>,
  ) {}

  /** @param starttls whether the mail server can encrypt. */
  static async open({ starttls = true } = {}): Promise<PostOffice> {
    const authority = await TestAuthority.make();
    const { keyPem, certificatePem } = await authority.issue("localhost");
    const mailServer = new SMTPServer({
      key: keyPem,
      cert: certificatePem,
      disabledCommands: starttls ? [] : ["STARTTLS"],
      allowInsecureAuth: !starttls,
      onAuth: ({ username, password }, _session, done) => {
        office.logins.push(`${username}:${password}`);
        if (password === PASSWORD) done(null, { user: username });
        else done(new Error("wrong password"));
      },
      onData: (stream, _session, done) => {
        let text = "";
        stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
        stream.on("end", () => {
          office.mails.push(text);
          done();
        });
      },
    });
    await new Promise<void>((listening) => mailServer.listen(0, "127.0.0.1", listening));
    const web = await httpServer((incoming, response) => {
      let body = "";
      incoming.on("data", (chunk: Buffer) => (body += chunk.toString()));
      incoming.on("end", () => {
        if (office.status === 200) office.posts.push(JSON.parse(body) as Post);
        response.writeHead(office.status).end();
      });
    });
    const { port } = mailServer.server.address() as AddressInfo;
    const office = new PostOffice(
      {
        webhook: `http://127.0.0.1:${web.port}${PATH}`,
        mail: {
          host: "localhost",
          port,
          tls: "starttls",
          ca: authority.pem,
          user: "alarm",
          password: PASSWORD,
          from: "archipelago@example.com",
          to: ["night@example.com", "day@example.com"],
        },
      },
      async () => {
        web.server.close();
        await new Promise<void>((closed) => mailServer.close(closed));
      },
    );
    return office;
  }

  stop(): Promise<void> {
    return this.close();
  }
}
