import { text } from "../fields";

/** A text that is usually encrypted, so that Pulumi's `secure:` may stand in its place. */
export const secret = (pattern: RegExp, what: string, description: string) =>
  text(
    pattern,
    what,
    `${description} Usually encrypted by \`pulumi config set --secret --path\`.`,
  ).meta({ type: ["string", "object"] });
