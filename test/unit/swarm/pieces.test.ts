import fc from "fast-check";
import { demultiplex } from "../../../providers/swarm/docker/logs";
import { cloudInitFailure, fatalErrors } from "../../../providers/swarm/node/cloud-init";
import { mergeLabels } from "../../../providers/swarm/node/settle";
import {
  canonicalJson,
  changedKeys,
  containsUnknown,
  UNKNOWN,
  unknownAt,
} from "../../../providers/swarm/protocol/values";

test("log lines come out of Docker's frames whole, however they were cut", () => {
  fc.assert(
    fc.property(fc.array(fc.string()), (texts) => {
      const frames = texts.map((text) => {
        const bytes = Buffer.from(text);
        const header = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]);
        header.writeUInt32BE(bytes.length, 4);
        return Buffer.concat([header, bytes]);
      });
      expect(demultiplex(Buffer.concat(frames))).toBe(
        Buffer.concat(texts.map((text) => Buffer.from(text))).toString(),
      );
    }),
  );
});

describe("cloud-init's errors", () => {
  const locale = "('locale', ProcessExecutionError('locale-gen'))";
  const runcmd = "('scripts_user', RuntimeError('Runparts: 1 failures (runcmd)'))";

  test("stop a node, but for a missing locale", () => {
    expect(fatalErrors([locale, runcmd, "odd"])).toEqual([runcmd, "odd"]);
  });

  test("are told with the module, the last lines and what to do", () => {
    expect(cloudInitFailure("web-1", [runcmd], "step one\nmkfs: no device\n")).toBe(
      `user data failed on web-1: ${runcmd}. Its last lines (/var/log/cloud-init-output.log):\n` +
        "step one\nmkfs: no device\n" +
        "Correct the user data and replace the Droplet: cloud-init runs once in its life",
    );
  });
});

test("labels that others set on a node stay; ours go when they leave the program", () => {
  expect(
    mergeLabels({ zone: "a", mine: "1", old: "x" }, { mine: "2" }, { mine: "1", old: "x" }),
  ).toEqual({ zone: "a", mine: "2" });
});

describe("property values", () => {
  test("are equal whatever the order of their keys, or every preview would show a change", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson(reversed)).toBe(canonicalJson(value));
        expect(changedKeys(value, reversed)).toEqual([]);
      }),
    );
  });

  test("that are unknown deep inside are found", () => {
    const inputs = { a: [{ b: UNKNOWN }], c: 1 };
    expect(containsUnknown(inputs)).toBe(true);
    expect(unknownAt(inputs, ["a", 0, "b"])).toBe(true);
    expect(unknownAt(inputs, ["c"])).toBe(false);
    expect(unknownAt({ a: UNKNOWN }, ["a", "b", "c"])).toBe(true);
  });
});
