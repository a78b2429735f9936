import { text } from "../fields";

/** Five fields of cron. What may stand in each is checked by the library that runs them: see the rules. */
export const schedule = text(
  /^\S+( \S+){4}$/,
  'five fields of cron such as "0 3 * * *"',
  "Run as a job at these times instead of all the time: minute, hour, day of the month, month, day of the week, in UTC. A job that still runs is not started again; one that was missed for want of a scheduler is made up for within an hour.",
);
