import type { Config, StackFile } from "./config";
import type { Fault } from "./faults";
import { backupFaults } from "./rules/backup";
import { cacheFaults, databaseFaults, registryFaults } from "./rules/data";
import { filesFaults } from "./rules/files";
import { ingressFaults, privateNodesFaults, sshFromFaults, vpcFaults } from "./rules/network";
import { fleetFaults } from "./rules/nodes";
import { secondSiteFaults } from "./rules/second-site";
import { routeFaults, serviceFaults } from "./rules/services";

/**
 * Faults that no single field shows: what must hold between fields.
 *
 * @param file as it was written, where a rule is about what was written.
 * @param config with every default applied.
 * @param root directory that build contexts start at.
 */
export function ruleFaults(file: StackFile, config: Config, root: string): Fault[] {
  return [
    ...fleetFaults(file, config),
    ...vpcFaults(config.vpcCidr),
    ...secondSiteFaults(file, config),
    ...sshFromFaults(config.sshFrom),
    ...ingressFaults(config),
    ...privateNodesFaults(config),
    ...databaseFaults(config),
    ...cacheFaults(config),
    ...filesFaults(config),
    ...backupFaults(config),
    ...registryFaults(config),
    ...Object.entries(config.services).flatMap(([name, service]) =>
      serviceFaults(name, service, root),
    ),
    ...routeFaults(config),
  ];
}
