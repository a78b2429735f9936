import { instanceId, publicPool } from "../../../local/paths";

describe("two local DigitalOceans on one machine", () => {
  test("differ in what marks their containers", () => {
    expect(instanceId("/a/.local")).not.toBe(instanceId("/b/.local"));
    expect(instanceId("/a/.local")).toMatch(/^[0-9a-f]{6}$/);
  });

  test("take public addresses from loopback, never 127.0.0.0/16 where other programs listen", () => {
    for (const instance of ["000000", "0000eb", "ffffff", "123abc"]) {
      const [, second] = /^127\.(\d+)\.0\.0\/16$/.exec(publicPool(instance)) ?? [];
      expect(Number(second)).toBeGreaterThanOrEqual(16);
      expect(Number(second)).toBeLessThanOrEqual(250);
    }
  });
});
