import { z } from "zod";
import { flag, mapping, text } from "../fields";

/** `files: true` is enough; whoever says more wants them, too. */
const enabled = (value: unknown) => (typeof value === "object" ? value : { enabled: value });

export const files = z
  .preprocess(
    enabled,
    mapping(
      {
        enabled: flag(
          "Whether there is a bucket. `files: false` is the same as leaving all out.",
        ).default(true),
        name: text(
          /^[a-z0-9]([a-z0-9-]{1,61}[a-z0-9])$/,
          "3 to 63 lower-case letters, digits and hyphens",
          "Name of the bucket, unique in its region among everybody's. Default: files- and random digits. Cannot change later.",
        ).optional(),
        region: text(
          /^[a-z]{2,4}[0-9]$/,
          "a DigitalOcean region slug such as fra1",
          "Region of the bucket. Default: the stack's. Not every region has Spaces. Cannot change later.",
        ).optional(),
        versioning: flag(
          "Keep what is overwritten or deleted, at the price of its storage, until somebody removes that version. Turning it off keeps the versions that there are.",
        ).default(false),
      },
      "A bucket of DigitalOcean Spaces (S3) for the files that users upload, and a key for that bucket alone. Services get `FILES_ENDPOINT`, `FILES_REGION`, `FILES_BUCKET`, `FILES_ACCESS_KEY`, and the secret in the file that `FILES_SECRET_KEY_FILE` names. In the cloud it is made with a key of yours, in SPACES_ACCESS_KEY_ID and SPACES_SECRET_ACCESS_KEY.",
    ),
  )
  .meta({ type: ["boolean", "object"] });
