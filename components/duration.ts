/**
 * A duration as the docker provider reads it back: `90` → `1m30s`. Written in any other way, it would differ
 * at every preview (kreuzwerker/terraform-provider-docker `shortDur`).
 *
 * @param seconds a whole number, at least 0.
 */
export function duration(seconds: number): string {
  const parts = [
    [Math.floor(seconds / 3600), "h"],
    [Math.floor((seconds % 3600) / 60), "m"],
    [seconds % 60, "s"],
  ] as const;
  const text = parts.map(([count, unit]) => (count > 0 ? `${count}${unit}` : "")).join("");
  return text || "0s";
}
