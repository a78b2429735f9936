/** How long a plugin may outlive its engine, in milliseconds. */
const CHECK_EVERY_MS = 200;

/**
 * Ends this plugin when the engine that started it is gone: a killed engine tells nobody, and what it began
 * must not go on behind the back of the next `up`.
 */
export function followEngine(): void {
  const engine = process.ppid;
  setInterval(() => {
    if (process.ppid !== engine) process.exit(1);
  }, CHECK_EVERY_MS).unref();
}
