import * as fs from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { utils } from "ssh2";
import { generateKeyPair } from "../../../providers/swarm/ssh/key-pair";
import { findIdentities } from "../../../providers/swarm/ssh/identity";

let home: string;
beforeEach(() => {
  home = fs.mkdtempSync(path.join(tmpdir(), "archipelago-identity-"));
});
afterEach(() => fs.rmSync(home, { recursive: true }));

function write(name: string, text: string): string {
  const file = path.join(home, name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
  return file;
}

test("ARCHIPELAGO_SSH_KEY alone is tried when it is set, or local mode would offer the user's own keys", () => {
  write(".ssh/id_ed25519", generateKeyPair().private);
  const named = write("key", generateKeyPair().private);
  const identities = findIdentities(
    { ARCHIPELAGO_SSH_KEY: named, SSH_AUTH_SOCK: "/run/agent" },
    home,
  );
  expect(identities.map(({ description }) => description)).toEqual([`the key in ${named}`]);
});

test("the agent comes before the usual key", () => {
  write(".ssh/id_ed25519", generateKeyPair().private);
  const identities = findIdentities({ SSH_AUTH_SOCK: "/run/agent" }, home);
  expect(identities.map(({ agent }) => agent)).toEqual(["/run/agent", undefined]);
});

test("without any key the three places are named", () => {
  expect(() => findIdentities({}, home)).toThrow(
    `no SSH key to log in with: set ARCHIPELAGO_SSH_KEY to a private key file, or start an agent ` +
      `(SSH_AUTH_SOCK is not set), or create ${home}/.ssh/id_ed25519 with "ssh-keygen -t ed25519" ` +
      `(the usual key ${home}/.ssh/id_ed25519 cannot be read: ENOENT)`,
  );
});

test.each([
  ["missing", undefined, "cannot be read: ENOENT"],
  ["no key", "hello", "is not a private key in OpenSSH or PEM format"],
  ["public", generateKeyPair().public, "is a public key: name the private one"],
  [
    "encrypted",
    utils.generateKeyPairSync("ed25519", { passphrase: "x", cipher: "aes256-cbc", rounds: 16 })
      .private,
    "is encrypted: load it into an agent",
  ],
])("a key file that is %s is refused with the remedy", (_what, text, message) => {
  const file = text === undefined ? path.join(home, "none") : write("key", text);
  expect(() => findIdentities({ ARCHIPELAGO_SSH_KEY: file }, home)).toThrow(message);
});
