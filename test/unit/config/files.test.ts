import { NO_FLEET } from "../../../infra/account-fleet";
import { announcements } from "../../../infra/announcements";
import { monthlyCost } from "../../../infra/cost";
import { describeFault } from "../../../infra/faults";
import { spacesKeyFaults } from "../../../infra/rules/files";
import { readStackFile } from "../../../infra/stack-file";
import { SPACES_REGIONS } from "../../../infra/rules/files";
import { SPACES_REGIONS as STAND_IN_REGIONS } from "../../../local/provider/digitalocean/resources/spaces-bucket";
import { emptyAccount } from "../../component/declare";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHLRiDoDWzNP+sSXAJ2ZEPvbSkPs5x45NfZwPZVqXd5M";
const web = { image: "acme/web:1", port: 3000, routes: ["/"] };

const read = (given: object, env: Record<string, string> = {}) =>
  readStackFile(
    { region: "fra1", sshKeys: [KEY], services: { web }, ...given },
    { stack: "single-node", env, root: process.cwd() },
  );
const report = (given: object) => read(given).faults.map(describeFault);

test.each<[unknown, object]>([
  [undefined, { enabled: false, versioning: false }],
  [false, { enabled: false, versioning: false }],
  [true, { enabled: true, versioning: false }],
  // As Pulumi hands it over.
  ["true", { enabled: true, versioning: false }],
  [{ versioning: true }, { enabled: true, versioning: true }],
  [
    { name: "acme-uploads", region: "nyc3" },
    { enabled: true, versioning: false, name: "acme-uploads", region: "nyc3" },
  ],
])("files: %j is understood", (files, expected) => {
  const { config, faults } = read(files === undefined ? {} : { files });
  expect(faults).toEqual([]);
  expect(config.files).toEqual(expected);
});

test("everything that is wrong with files is in the one report", () => {
  expect(report({ files: "yes" })).toEqual(['archipelago:files must be true or false, got "yes"']);
  expect(report({ files: { name: "Acme Files", public: true } })).toEqual([
    'archipelago:files.name must be 3 to 63 lower-case letters, digits and hyphens, got "Acme Files"',
    "archipelago:files.public is not a known key; known keys: enabled, name, region, versioning",
  ]);
  expect(report({ services: { web: { ...web, secrets: { files_secret_key: "x" } } } })).toEqual([
    "archipelago:services.web.secrets.files_secret_key must have another name: Archipelago gives every service this file itself",
  ]);
});

test("a region without Spaces is a fault that names those with", () => {
  const there = `there are ${SPACES_REGIONS.join(", ")}`;
  expect(report({ region: "nyc1", files: true })).toEqual([
    `archipelago:files.region must be a region that has Spaces, got "nyc1"; ${there}`,
  ]);
  expect(report({ region: "nyc1", files: { region: "nyc3" } })).toEqual([]);
  expect(report({ region: "nyc1" })).toEqual([]);
  // The stack's own region is the fault, and files would only repeat it.
  expect(report({ region: "moon", files: true })).toHaveLength(1);
});

test("the local stand-in knows the same regions", () => {
  expect(STAND_IN_REGIONS).toEqual(SPACES_REGIONS);
});

test("a missing key for Spaces is a fault before anything changes, with where to get one", () => {
  const both = { SPACES_ACCESS_KEY_ID: "DO00", SPACES_SECRET_ACCESS_KEY: "secret" };
  const { config } = read({ files: true });
  const faults = (env: Record<string, string>, configured: Record<string, string> = {}) =>
    spacesKeyFaults(config, env, configured).map(describeFault);
  const remedy = "make one with full access at https://cloud.digitalocean.com/spaces/access_keys";
  expect(faults({})).toEqual([
    `SPACES_ACCESS_KEY_ID must hold the ID of a key for Spaces, with which archipelago:files makes the bucket; ${remedy}`,
    `SPACES_SECRET_ACCESS_KEY must hold the secret of that key, with which archipelago:files makes the bucket; ${remedy}`,
  ]);
  expect(faults({ SPACES_ACCESS_KEY_ID: "DO00" })).toHaveLength(1);
  expect(faults(both)).toEqual([]);
  const configured = {
    "digitalocean:spacesAccessId": "DO00",
    "digitalocean:spacesSecretKey": "secret",
  };
  expect(faults({}, configured)).toEqual([]);
  expect(spacesKeyFaults(read({}).config, {}, {})).toEqual([]);
});

test("simulated machines need no key, make no bucket, and say so", () => {
  const { config } = read({ files: true }, { ARCHIPELAGO_MACHINES: "simulated" });
  expect(spacesKeyFaults(config, {}, {})).toEqual([]);
  expect(announcements(config, emptyAccount)).toEqual([
    "archipelago:files makes no bucket here: where machines are simulated nothing keeps files",
  ]);
});

test("the cost names Spaces before the bucket is there, and counts it once it is", () => {
  const { config } = read({ files: true });
  const before = monthlyCost(config, emptyAccount);
  expect(before.parts).toContainEqual({ name: "Spaces", price: 5 });
  const there = { ...emptyAccount, fleet: { ...NO_FLEET, hasBucket: true } };
  expect(monthlyCost(config, there).now - before.now).toBe(5);
});
