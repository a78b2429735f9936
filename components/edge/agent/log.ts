export type Severity = "info" | "warning" | "error";

/** Writes one structured line. `event` is a stable dotted name that alarms can match on. */
export type Log = (
  severity: Severity,
  event: string,
  details?: Readonly<Record<string, unknown>>,
) => void;

/** JSON lines on standard output, as Docker's log drivers keep them. */
export const jsonLog: Log = (severity, event, details = {}) => {
  const line = {
    time: new Date().toISOString(),
    type: "edge-agent",
    node: process.env.NODE_NAME ?? "",
    severity,
    event,
    ...details,
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
};

/** The message of anything that was thrown. */
export const messageOf = (error: unknown) =>
  error instanceof Error ? error.message : String(error);
