import type { SpacesKeySpec } from "../machines";

/**
 * What the S3 server signs requests with in this house: Spaces takes a request that is signed for any region, the
 * server only one, which is that of DigitalOcean's own examples and tools.
 */
const REGION = "us-east-1";

const READ_BUCKET = [
  "s3:GetBucketLocation",
  "s3:GetBucketVersioning",
  "s3:ListBucket",
  "s3:ListBucketMultipartUploads",
  "s3:ListBucketVersions",
];
const READ_OBJECTS = ["s3:GetObject*", "s3:ListMultipartUploadParts"];
const WRITE_OBJECTS = ["s3:AbortMultipartUpload", "s3:DeleteObject*", "s3:PutObject*"];

/** A moment that never comes: the server notes when a key was last used, and rewrites the whole file for it. */
const NEVER = "2200-01-01T00:00:00Z";
const MADE = "2026-01-01T00:00:00Z";

/**
 * Users, keys and their policies as versitygw keeps them, JSON: a user for each key. Grants are DigitalOcean's
 * (https://docs.digitalocean.com/products/spaces/how-to/manage-access/): `read` and `readwrite` are about the objects of
 * one bucket, `fullaccess` about everything.
 */
export function identities(keys: readonly SpacesKeySpec[]): string {
  const users = keys.map(({ accessKey, secretKey, grants }) => ({
    Path: "/",
    UserName: accessKey,
    UserID: accessKey,
    Arn: `arn:aws:iam::000000000000:user/${accessKey}`,
    CreateDate: MADE,
    AccessKeys: [
      {
        AccessKeyId: accessKey,
        SecretAccessKey: secretKey,
        Status: "Active",
        CreateDate: MADE,
        LastUsedDate: NEVER,
        LastUsedService: "s3",
        LastUsedRegion: REGION,
      },
    ],
    Policies: {
      inline: [
        {
          PolicyName: "grants",
          PolicyDocument: JSON.stringify({
            Version: "2012-10-17",
            Statement: grants.flatMap(statements),
          }),
          CreateDate: MADE,
        },
      ],
    },
  }));
  return JSON.stringify({
    users: Object.fromEntries(users.map((user) => [user.UserName, user])),
    accessKeyIndex: Object.fromEntries(users.map(({ UserName }) => [UserName, UserName])),
  });
}

function statements({ bucket, permission }: SpacesKeySpec["grants"][number]): object[] {
  if (permission === "fullaccess") return [allow(["s3:*"], "*")];
  const objects =
    permission === "readwrite"
      ? [...READ_OBJECTS, ...WRITE_OBJECTS]
      : permission === "read"
        ? READ_OBJECTS
        : [];
  if (objects.length === 0) return [];
  const arn = `arn:aws:s3:::${bucket}`;
  return [allow(READ_BUCKET, arn), allow(objects, `${arn}/*`)];
}

const allow = (Action: readonly string[], Resource: string) => ({
  Effect: "Allow",
  Action,
  Resource,
});
