import { parseDocument } from "yaml";
import { toLocal } from "../../../local/stack-copy";

function local(text: string): unknown {
  const document = parseDocument(text);
  toLocal(document);
  return document.toJS() as unknown;
}

describe("the copy of a stack file that local mode runs on", () => {
  test("an encrypted value, which nobody here could decrypt, becomes a string that names its key", () => {
    expect(
      local(`
encryptionsalt: v1:abc
config:
  archipelago:services:
    web:
      secrets:
        API_KEY:
          secure: v1:zzz
`),
    ).toEqual({
      config: {
        "archipelago:services": { web: { secrets: { API_KEY: "local-placeholder-for-API_KEY" } } },
      },
    });
  });

  test("nothing in it leads to the real account", () => {
    expect(
      local(`
secretsprovider: awskms://key
encryptedkey: abc
config:
  digitalocean:token:
    secure: v1:zzz
  digitalocean:apiEndpoint: https://example.com
  digitalocean:httpRetryMax: 3
  archipelago:region: fra1
`),
    ).toEqual({ config: { "digitalocean:httpRetryMax": 3, "archipelago:region": "fra1" } });
  });

  test("everything else is kept as it is written", () => {
    const text = "# ours\nconfig:\n  archipelago:region: fra1 # near us\n";
    const document = parseDocument(text);
    toLocal(document);
    expect(document.toString()).toBe(text);
  });
});
