import { utils } from "ssh2";
import { formatPublicKey, parsePublicKey } from "../../../providers/swarm/ssh/host-keys";
import { generateKeyPair } from "../../../providers/swarm/ssh/key-pair";

test("no generated key is one that cannot be read", () => {
  // One in 256 is, as the library makes them: 2000 without one would be a coincidence of 1 in 2500.
  for (let made = 0; made < 2000; made++) {
    const pair = generateKeyPair("somebody");
    expect(utils.parseKey(pair.private)).not.toBeInstanceOf(Error);
    expect(formatPublicKey(parsePublicKey(pair.public))).toBe(pair.public.replace(" somebody", ""));
  }
});
