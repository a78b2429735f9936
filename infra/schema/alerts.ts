import { list, mapping, text } from "../fields";

export const alerts = mapping(
  {
    emails: list(
      text(/^[^\s@]+@[^\s@]+$/, "an e-mail address", "A verified address of the team."),
      "Who is told when nodes, the Load Balancer or the database are in trouble, or when the app does not answer. Default: the account's own address.",
      1,
    ).optional(),
  },
  "Alarms of DigitalOcean's monitoring, in `ha`.",
);
