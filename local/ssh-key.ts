/** The operator's SSH key for local machines: made once, never used anywhere else. */
import * as fs from "node:fs";
import * as path from "node:path";
import { generateKeyPair } from "../providers/swarm/ssh/key-pair";
import { localDir } from "./paths";

/** @returns the private key's file; the public half lies beside it with `.pub`. */
export function ensureSshKey(): string {
  const file = path.join(localDir(), "ssh", "id_ed25519");
  if (!fs.existsSync(`${file}.pub`)) {
    const key = generateKeyPair("archipelago-local");
    fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    fs.writeFileSync(file, key.private, { mode: 0o600 });
    fs.writeFileSync(`${file}.pub`, `${key.public}\n`);
  }
  return file;
}
