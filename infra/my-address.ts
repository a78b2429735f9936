import { ask } from "../providers/http";
import { parseIpv4 } from "./cidr";
import type { Config } from "./config";
import { type Fault } from "./faults";

/** Answers with the caller's IPv4 address as text. ARCHIPELAGO_MY_IP_URL names another. */
const ADDRESS_SERVICE = "https://api.ipify.org";

/**
 * Puts the operator's own address where `sshFrom` says `me`. The one lookup outside DigitalOcean's API.
 *
 * @returns CIDRs, or the fault that keeps `me` from being known.
 */
export async function resolveSshFrom(
  { sshFrom }: Config,
  env: Readonly<Record<string, string | undefined>>,
): Promise<{ readonly cidrs: readonly string[]; readonly faults: readonly Fault[] }> {
  const given = sshFrom.filter((entry) => entry !== "me");
  if (given.length === sshFrom.length) return { cidrs: given, faults: [] };
  const url = env.ARCHIPELAGO_MY_IP_URL ?? ADDRESS_SERVICE;
  try {
    const { status, body } = await ask(url, { signal: AbortSignal.timeout(5000) });
    const address = body.trim();
    if (status !== 200 || parseIpv4(address) === undefined) throw new Error(`HTTP ${status}`);
    return { cidrs: [...new Set([...given, `${address}/32`])], faults: [] };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return {
      cidrs: given,
      faults: [
        {
          path: "archipelago:sshFrom",
          rule: `must be CIDRs while your own address cannot be looked up at ${url} (${reason})`,
          got: "me",
        },
      ],
    };
  }
}
