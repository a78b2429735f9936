/** How fast it goes, and how long it still takes. */

const MIB = 2 ** 20;

/** `51,000 rows/s, 12.3 MiB/s` */
export function shownRate(rows: number, bytes: number, seconds: number): string {
  const perSecond = (amount: number) => amount / Math.max(seconds, 0.001);
  const whole = Math.round(perSecond(rows)).toLocaleString("en");
  return `${whole} rows/s, ${(perSecond(bytes) / MIB).toFixed(1)} MiB/s`;
}

/** @param all rows in all. @returns what to say when so many rows and bytes have gone. */
export function rateOf(all: number): (rows: number, bytes: number) => string {
  const started = Date.now();
  return (rows, bytes) => {
    const seconds = (Date.now() - started) / 1000;
    const share = all === 0 ? 1 : rows / all;
    const left =
      rows > 0 && rows < all ? `, ${Math.ceil((seconds * (all - rows)) / rows)} s left` : "";
    return `${Math.floor(share * 100)} %, ${shownRate(rows, bytes, seconds)}${left}`;
  };
}
