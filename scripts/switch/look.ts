/** What a switch finds in its two stacks, and why it could not be made. */
import type { Outputs } from "../outputs";
import type { Front, ReservedIp } from "./front";

/** One of the two stacks. */
export interface Party {
  readonly stack: string;
  readonly outputs: Outputs;
  /** Of its state; absent where it has none of its own. */
  readonly front: Front | undefined;
  /** Names of its PostgreSQL's databases on the Volume. */
  readonly databases: readonly string[];
  /** Services that keep files on its Volume. */
  readonly withFiles: readonly string[];
}

/** Every reason why not, each with what to do about it. */
export function switchFaults(
  from: Party,
  to: Party,
  addresses: readonly [from: ReservedIp, to: ReservedIp] | undefined,
): string[] {
  const faults: string[] = [];
  for (const { stack, outputs, front } of [from, to]) {
    if (outputs.secondSite !== undefined) {
      faults.push(
        `${stack} has a second site, whose copy of the data would be left behind: remove it first`,
      );
    }
    if (outputs.loadBalancer !== undefined) {
      faults.push(
        `${stack} is reached by a Load Balancer, and its address cannot be handed over: set archipelago:ingress: floating-ip there and run up, which is live; after the switch the same way back`,
      );
    } else if (front === undefined) {
      faults.push(
        `${stack} has no Reserved IP of its own (archipelago:floatingIp.existing is yours): it cannot be handed over`,
      );
    }
    if (outputs.files !== undefined) {
      faults.push(
        `${stack} keeps uploaded files in the bucket ${outputs.files.bucket}, which is not carried over: copy it (rclone sync) and have both use one bucket`,
      );
    }
  }
  const [source, target] = addresses ?? [];
  if (source && target && source.region !== target.region) {
    faults.push(
      `${from.stack} is in ${source.region} and ${to.stack} in ${target.region}: a Reserved IP does not leave its region. Make the target in ${source.region}`,
    );
  }
  if (from.outputs.database !== undefined) {
    faults.push(
      `${from.stack} has a managed database. While it has a container as well (archipelago:database.migrateTo): npm run migrate -- postgres --from ${from.stack}:managed --to ${from.stack}:container, which is live, then archipelago:database: container and run up. Without one its data comes over by a dump, such as npm run restore -- --place <url> --into-directory <directory> makes (docs/guides/switch.md)`,
    );
  }
  if (to.outputs.database !== undefined) {
    faults.push(
      `${to.stack} has a managed database, which takes no switch: set archipelago:database: container there and run up; after the switch npm run migrate -- postgres leads back to a managed one, live`,
    );
  }
  for (const name of from.databases.filter((one) => !to.databases.includes(one))) {
    faults.push(`${to.stack} has no database ${name}`);
  }
  const missing = Object.keys(from.outputs.services).filter(
    (one) => to.outputs.services[one] === undefined,
  );
  if (missing.length > 0) {
    faults.push(
      `${to.stack} has no service ${missing.join(", ")}: both stack files must describe the same app`,
    );
  }
  for (const name of from.withFiles.filter(
    (one) => !to.withFiles.includes(one) && !missing.includes(one),
  )) {
    faults.push(`${to.stack} keeps no files for ${name}: give it the same \`volume\` and run up`);
  }
  const [ours, theirs] = [domainOf(from.outputs), domainOf(to.outputs)];
  if (ours !== undefined && ours !== theirs) {
    faults.push(
      `${from.stack} is called ${ours}: set archipelago:domain: { name: ${ours}, dns: none } in ${to.stack} and run up, so that it answers to the name. Its certificate is handed over`,
    );
  }
  return faults;
}

/** The name that the stack is served at; undefined when that is its address. */
export function domainOf({ url = "" }: Outputs): string | undefined {
  return url.startsWith("https://") ? new URL(url).hostname : undefined;
}
