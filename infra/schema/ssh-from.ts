import { z } from "zod";
import { list, text } from "../fields";

/** One entry by itself is enough: `sshFrom: me`. */
export const sshFrom = z
  .preprocess(
    (value) => (typeof value === "string" ? [value] : value),
    list(
      text(/^(me|[0-9a-f.:]+\/\d+)$/i, "me or a CIDR such as 203.0.113.7/32", "`me` or a CIDR."),
      "Addresses that may reach SSH; `me` looks up your own.",
      1,
    ),
  )
  .meta({ type: ["string", "array"], items: { type: "string" } });
