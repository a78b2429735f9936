import { beginAction } from "../actions/model";
import { replaceMember } from "../autoscale/history";
import type { Context } from "../context";
import type { DropletRecord } from "./model";

/** Begins to destroy a Droplet that has no other event pending; once over, it is gone (404). Call inside a transaction. */
export function beginDestroy(context: Context, droplet: DropletRecord): void {
  context.store.droplets.put(droplet.id, { ...droplet, deleting: true });
  replaceMember(context, droplet);
  beginAction(
    context,
    "droplet.destroy",
    { dropletId: droplet.id },
    {
      type: "destroy",
      resourceId: droplet.id,
      resourceType: "droplet",
      region: droplet.region,
      dropletId: droplet.id,
    },
  );
}
