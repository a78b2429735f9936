import { z } from "zod";
import { choice, integer, mapping, text } from "../fields";
import { HOST_NAME } from "./patterns";

const CERTIFICATES = /^-----BEGIN CERTIFICATE-----\s[\s\S]+-----END CERTIFICATE-----\s*$/;

/** The name by itself is enough: `domain: example.com`. */
export const domain = z
  .preprocess(
    (value) => (typeof value === "string" ? { name: value } : value),
    mapping(
      {
        name: text(
          HOST_NAME,
          "a lower-case host name such as app.example.com",
          "Where the app is served, over HTTPS.",
        ),
        zone: text(
          HOST_NAME,
          "a lower-case domain such as example.com",
          "The DNS zone that holds the name. Default: the name itself.",
        ).optional(),
        dns: choice(
          ["create", "existing", "none"],
          "`create`: this stack makes the zone. `existing`: the zone is in the account, this stack adds its record. `none`: you point the name at the address yourself.",
        ).default("create"),
        ttlSeconds: integer(
          30,
          86_400,
          "How long resolvers may keep the address of the name. When the way in changes, `up` waits that long before the old address is closed.",
        ).default(300),
        email: text(
          /^[^\s@]+@[^\s@]+$/,
          "an e-mail address",
          "Given to the certificate authority as contact.",
        ).optional(),
        acmeDirectory: text(
          /^https:\/\/\S+$/,
          "an https URL",
          "ACME directory. Default: Let's Encrypt.",
        ).optional(),
        acmeCa: text(
          CERTIFICATES,
          "certificates in PEM",
          "The authority that signed the ACME server's own certificate, where it is a private one. Default: the public roots.",
        ).optional(),
        alarmWebhook: text(
          /^https?:\/\/\S+$/,
          "a URL",
          "Gets a POST when a certificate cannot be renewed, once a day. Usually a secret.",
        )
          .meta({ type: ["string", "object"] })
          .optional(),
      },
      "The name the app is served at. Certificates come from an ACME authority (Let's Encrypt) and renew themselves.",
    ),
  )
  .meta({ type: ["string", "object"] });
