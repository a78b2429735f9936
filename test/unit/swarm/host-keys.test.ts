import fc from "fast-check";
import { generateKeyPair } from "../../../providers/swarm/ssh/key-pair";
import {
  fingerprint,
  formatPublicKey,
  isSignedBy,
  parsePublicKey,
} from "../../../providers/swarm/ssh/host-keys";
import { sshSign } from "./support/sshsig";

const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPaSk4jywiVR/NZx5GVkkkGU5gqVbiZjblTBQlW0dDqQ";

/** Made by `ssh-keygen -Y sign -n archipelago-host-key` (OpenSSH 9.2) with the private half of `key`. */
const signedByOpenSsh = `-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAg9pKTiPLCJVH81nHkZWSSQZTmCp
VuJmNuVMFCVbR0OpAAAAAUYXJjaGlwZWxhZ28taG9zdC1rZXkAAAAAAAAABnNoYTUxMgAA
AFMAAAALc3NoLWVkMjU1MTkAAABAb26D9JvzDtJxrmtB0i0Aw+fG5iLBr0OMEIKjR2+6aC
GQg1lD2vrhfUOcwe9DyCeR+CB5I/kmwdWQGS09oIQ/BA==
-----END SSH SIGNATURE-----
`;
const signedLine =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICdM5i1kI52+ja414ZikR85XdsDhe1zuNzAxpP/D1bL6\n";

describe("a pinned host key", () => {
  test("is the same key with and without a comment", () => {
    expect(parsePublicKey(`${key} root@node-1\n`)).toEqual(parsePublicKey(key));
    expect(formatPublicKey(parsePublicKey(`${key} root@node-1`))).toBe(key);
  });

  test("is shown as ssh-keygen -l shows it", () => {
    expect(fingerprint(parsePublicKey(key))).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/);
  });

  test.each([
    ["empty", ""],
    ["another type", key.replace("ssh-ed25519", "ssh-rsa")],
    ["no base64", "ssh-ed25519 %%%%"],
    ["cut off", key.slice(0, -8)],
    [
      "longer than a key",
      `ssh-ed25519 ${Buffer.concat([parsePublicKey(key), Buffer.alloc(3)]).toString("base64")}`,
    ],
    ["a private key", "-----BEGIN OPENSSH PRIVATE KEY-----"],
  ])("that is %s is refused, or a node would be pinned to nothing", (_what, line) => {
    expect(() => parsePublicKey(line)).toThrow(
      'must be one OpenSSH public key "ssh-ed25519 AAAA…"',
    );
  });
});

describe("the introduction of a permanent host key", () => {
  const boot = generateKeyPair();
  const introduced = sshSign(boot.private, "archipelago-host-key", "line\n");
  const accepts = (signature: string, message = "line\n", namespace = "archipelago-host-key") =>
    isSignedBy(parsePublicKey(boot.public), namespace, Buffer.from(message), signature);

  test("that OpenSSH made is accepted, or an interrupted up could not be finished", () => {
    const signer = parsePublicKey(key);
    const message = Buffer.from(signedLine);
    expect(isSignedBy(signer, "archipelago-host-key", message, signedByOpenSsh)).toBe(true);
  });

  test("is accepted for that key and purpose only", () => {
    expect(accepts(introduced)).toBe(true);
    expect(accepts(introduced, "another line\n")).toBe(false);
    expect(accepts(introduced, "line\n", "git")).toBe(false);
  });

  test("by any other key is refused, or a stranger could pass for the node", () => {
    expect(accepts(sshSign(generateKeyPair().private, "archipelago-host-key", "line\n"))).toBe(
      false,
    );
  });

  test("that is damaged anywhere is refused, never an exception", () => {
    const blob = Buffer.from(introduced.split("\n")[1] ?? "", "base64");
    fc.assert(
      fc.property(fc.nat(blob.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = Buffer.from(blob);
        damaged[at] = (damaged[at] ?? 0) ^ flip;
        const armored = `-----BEGIN SSH SIGNATURE-----\n${damaged.toString("base64")}\n-----END SSH SIGNATURE-----`;
        expect(accepts(armored)).toBe(false);
      }),
    );
    expect(accepts("")).toBe(false);
  });
});
