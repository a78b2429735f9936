import { randomBytes, randomInt } from "node:crypto";
import type { SpacesKeySpec, SpacesSpec } from "../../machines/machines";
import { timestamp } from "../context";
import type { Store } from "../store";

/** A key for Spaces. Its secret is told once, and kept because the S3 server verifies signatures with it. */
export interface SpacesKeyRecord extends SpacesKeySpec {
  readonly name: string;
  /** ISO 8601. */
  readonly createdAt: string;
}

/** A key and its secret, as DigitalOcean's look. */
export type SpacesLogin = Pick<SpacesKeySpec, "accessKey" | "secretKey">;

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

export const newLogin = (): SpacesLogin => ({
  accessKey: `DO${Array.from({ length: 18 }, () => letters[randomInt(letters.length)]).join("")}`,
  secretKey: randomBytes(32).toString("base64url"),
});

const operatorSetting = "spaces-operator";

/** The operator's own key, which may do everything; there is one from when Spaces was first asked for. */
export const operatorOf = (store: Store) => store.setting<SpacesLogin>(operatorSetting);

/** Call inside a transaction. */
export function ensureOperator(store: Store): SpacesLogin {
  const known = operatorOf(store);
  if (known) return known;
  const made = newLogin();
  store.setSetting(operatorSetting, made);
  return made;
}

/** The account's S3 server; undefined before anybody asked for it. */
export function spacesSpec(store: Store): SpacesSpec | undefined {
  const operator = operatorOf(store);
  if (!operator) return undefined;
  const everything = [{ bucket: "", permission: "fullaccess" as const }];
  const keys = store.spacesKeys
    .all()
    .map(({ accessKey, secretKey, grants }) => ({ accessKey, secretKey, grants }));
  return { keys: [{ ...operator, grants: everything }, ...keys] };
}

export const keyView = ({ name, grants, accessKey, createdAt }: SpacesKeyRecord) => ({
  name,
  grants,
  access_key: accessKey,
  created_at: timestamp(new Date(createdAt)),
});
