import type { Resource } from "../protocol/resource";
import { secret } from "../protocol/values";
import { makeSigningKey } from "../swarm/proof";
import { dropletIdOf, withExistingSwarm } from "./existing-swarm";
import { parseImportId } from "./import-id";

/** What Docker takes when nothing is asked for. https://docs.docker.com/engine/swarm/networking/ */
const DOCKERS_POOL = "10.0.0.0/8";

/**
 * A swarm that exists. It gets a new signing key, since the one of before was in the state that is lost: its members prove
 * themselves with that once they were imported and updated.
 */
export const importCluster: NonNullable<Resource["import"]> = (id, context) =>
  withExistingSwarm(
    parseImportId(id, "a cluster"),
    context,
    async ({ clusterId, engine, members, asked, connection, tag }) => {
      const { host, port, hostKey } = connection;
      const pool = await engine.addressPool();
      const managers = members.filter(({ role }) => role === "manager").length;
      const inputs = {
        name: clusterId.replace(/-[0-9a-f]{8}$/, ""),
        ...(pool.length > 0 && pool.join() !== DOCKERS_POOL && { defaultAddrPool: pool }),
        ...(managers % 2 === 1 && { managers }),
        tag,
        first: {
          host,
          ...(port !== 22 && { port }),
          privateIp: asked.address,
          bootHostKey: hostKey,
          dropletId: dropletIdOf(asked),
        },
      };
      return { id: clusterId, inputs, state: { ...inputs, signingKey: secret(makeSigningKey()) } };
    },
  );
