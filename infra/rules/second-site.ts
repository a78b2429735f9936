import { overlaps, parseCidr } from "../cidr";
import type { Config, StackFile } from "../config";
import { type Fault, show } from "../faults";
import { vpcFaults } from "./network";
import { poolFaults } from "./nodes";

const AT = "archipelago:secondSite";

/** What must hold of a second site, and of a stack that has one. */
export function secondSiteFaults(file: StackFile, config: Config): Fault[] {
  const { secondSite: site } = config;
  if (site === undefined || file.secondSite === undefined) return [];
  if (config.topology !== "ha") {
    return [{ path: AT, rule: "must be left out: only the ha topology has a second site" }];
  }
  return [
    ...placeFaults(config, site),
    ...poolFaults({ ...file.secondSite, topology: "ha" }, site, AT),
    ...serviceFaults(config),
  ];
}

function placeFaults(
  { region, vpcCidr }: Config,
  site: NonNullable<Config["secondSite"]>,
): Fault[] {
  const faults = vpcFaults(site.vpcCidr, `${AT}.vpcCidr`);
  if (site.region === region) {
    const rule = "must be another region than archipelago:region";
    faults.push({ path: `${AT}.region`, rule, got: show(region) });
  }
  const [first, second] = [parseCidr(vpcCidr), parseCidr(site.vpcCidr)];
  if (first && second && overlaps(first, second)) {
    const rule = `must not overlap the first site's ${vpcCidr}: the VPCs are peered`;
    faults.push({ path: `${AT}.vpcCidr`, rule, got: site.vpcCidr });
  }
  return faults;
}

/** What works in one region only, or not behind two balancers. */
function serviceFaults({ services, edge }: Config): Fault[] {
  const faults: Fault[] = [];
  for (const [name, { volume, rateLimit, balance }] of Object.entries(services)) {
    const path = `archipelago:services.${name}`;
    if (volume !== undefined) {
      const rule = "must be left out with a second site: a Volume is in one region";
      faults.push({ path: `${path}.volume`, rule });
    }
    if (rateLimit !== undefined) faults.push({ path: `${path}.rateLimit`, rule: NO_CLIENTS });
    if (balance === "source") {
      const rule =
        "must not be source with a second site: behind two balancers all clients look alike";
      faults.push({ path: `${path}.balance`, rule });
    }
  }
  if (edge.deny.length > 0) faults.push({ path: "archipelago:edge.deny", rule: NO_CLIENTS });
  return faults;
}

const NO_CLIENTS =
  "must be left out with a second site: behind two balancers the edge cannot tell clients apart";
