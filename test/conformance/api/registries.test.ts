// Answers are JSON of every shape; what a test reads of one, it asserts.
/* eslint-disable @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-call */
import { built, notBuilt } from "./built";
import { describeAnswers } from "./caller";
import { WithRegistry } from "./registry-body";

const machines = new WithRegistry();

describeAnswers(
  (caller) => {
    const { call, faults } = caller;

    afterAll(async () => {
      await machines.close();
    });

    const digest = (digit: string) => `sha256:${digit.repeat(64)}`;

    it("of the container registry, from the first to the last", async () => {
      const path = "/v2/registry";
      await call("GET", path, 404);
      await call("GET", `${path}/subscription`, 404);
      const wanted = { name: "main", subscription_tier_slug: "basic", region: "fra1" };
      await call("POST", `${path}/validate-name`, 204, { name: "main" });
      await call("POST", path, 422, { ...wanted, region: "moon1" });
      await call("POST", path, 422, { ...wanted, name: "No" });
      await call("POST", path, 201, wanted);
      await call("POST", path, 409, wanted);
      await call("POST", path, 412, { ...wanted, name: "second" });
      await call("POST", `${path}/validate-name`, 409, { name: "main" });
      const { registry } = await call("GET", path, 200);
      expect(registry).toMatchObject({ name: "main", region: "fra1" });
      expect(registry.subscription.tier.slug).toBe("basic");
      const { auths } = await call("GET", `${path}/docker-credentials?read_write=true`, 200);
      const login = Buffer.from(auths["registry.digitalocean.com"].auth as string, "base64");
      expect(login.toString()).toMatch(/^(dop_v1_[0-9a-f]{64}):\1$/);
      await call("GET", `${path}/subscription`, 200);
      await call("POST", `${path}/subscription`, 200, { tier_slug: "starter" });
      await call("GET", `${path}/options`, 200);
      await call("DELETE", path, 204);
      await call("GET", path, 404);
      expect(faults).toEqual([]);
    });

    it("of several registries, and of what is in them", async () => {
      const path = "/v2/registries";
      await call("POST", `${path}/validate-name`, 204, { name: "one" });
      await call("POST", path, 201, { name: "one", subscription_tier_slug: "professional" });
      await call("POST", path, 201, { name: "two" });
      await call("GET", path, 200);
      await call("GET", `${path}/one`, 200);
      await call("GET", `${path}/three`, 404);
      await call("GET", `${path}/one/docker-credentials`, 200);
      await call("GET", `${path}/subscription`, 200);
      await call("POST", `${path}/subscription`, 412, { tier_slug: "basic" });
      await call("POST", `${path}/subscription`, 200, { tier_slug: "professional" });

      const app = () =>
        new Map([
          ["latest", digest("a")],
          ["v2", digest("a")],
          ["v1", digest("b")],
        ]);
      machines.images.set("one/app", app());
      machines.images.set("one/tools/backup", new Map([["latest", digest("c")]]));
      machines.images.set("two/app", app());
      const { options } = await call("GET", `${path}/options`, 200);
      expect(
        options.subscription_tiers.map(({ eligible }: { eligible: boolean }) => eligible),
      ).toEqual([false, true, true]);
      const { repositories } = await call("GET", `${path}/one/repositoriesV2`, 200);
      expect(repositories).toMatchObject([
        { name: "app", tag_count: 3, manifest_count: 2 },
        { name: "tools/backup", tag_count: 1, manifest_count: 1 },
      ]);
      expect(repositories[0].latest_manifest.compressed_size_bytes).toBe(310);
      const { tags } = await call("GET", `${path}/one/repositories/app/tags`, 200);
      expect(tags).toHaveLength(3);
      await call("GET", `${path}/one/repositories/tools%2Fbackup/tags`, 200);
      await call("GET", `${path}/one/repositories/nothing/tags`, 404);
      const { manifests } = await call("GET", `${path}/one/repositories/app/digests`, 200);
      expect(manifests[0].tags).toEqual(["latest", "v2"]);
      await call("DELETE", `${path}/one/repositories/app/tags/v2`, 422);
      await call("DELETE", `${path}/one/repositories/app/tags/v1`, 204);
      await call("DELETE", `${path}/one/repositories/app/digests/${digest("a")}`, 204);
      await call("DELETE", `${path}/one/repositories/app`, 404);
      await call("DELETE", `${path}/one/repositories/tools%2Fbackup`, 204);

      const older = "/v2/registry/two";
      const { repositories: listed } = await call("GET", `${older}/repositories`, 200);
      expect(listed[0].latest_tag.tag).toBe("latest");
      await call("GET", `${older}/repositoriesV2`, 200);
      await call("GET", `${older}/repositories/app/tags`, 200);
      await call("GET", `${older}/repositories/app/digests`, 200);
      await call("DELETE", `${older}/repositories/app/tags/v1`, 204);
      await call("DELETE", `${older}/repositories/app/digests/${digest("a")}`, 204);

      machines.images.set("one/app", app());
      await call("DELETE", `${path}/one`, 204);
      expect(machines.images.get("one/app")?.size).toBe(0);
      await call("DELETE", `${path}/two`, 204);
      expect(machines.images.size).toBe(0);
      expect(faults).toEqual([]);
    });

    it("of every operation on registries", () => {
      expect(caller.missing(built.registries, notBuilt)).toEqual([]);
    });
  },
  { machines },
);
