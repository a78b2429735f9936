import { regionView } from "../catalogue/regions";
import { timestamp, type Context } from "../context";
import type { JobParams } from "../lifecycle";

export interface NewAction {
  readonly type: string;
  readonly resourceId: number | null;
  readonly resourceType: string;
  /** Slug. */
  readonly region: string;
  /** What it is found by, beside its id. */
  readonly dropletId?: number | undefined;
  readonly volumeId?: string | undefined;
  readonly ip?: string | undefined;
  readonly imageId?: number | undefined;
}

/** Something that happens, or happened, to a resource. */
export interface ActionRecord extends NewAction {
  readonly id: number;
  readonly status: "in-progress" | "completed" | "errored";
  /** ISO 8601. */
  readonly startedAt: string;
  readonly completedAt: string | undefined;
  /** Why it errored, for the operator; DigitalOcean does not show it. */
  readonly failure?: string | undefined;
}

/** Records an action and begins the transition that completes it; call inside a transaction. */
export function beginAction(
  { store, lifecycle, now }: Context,
  kind: string,
  params: JobParams,
  action: NewAction,
): ActionRecord {
  const record: ActionRecord = {
    ...action,
    id: store.nextId("action"),
    status: "in-progress",
    startedAt: now().toISOString(),
    completedAt: undefined,
  };
  store.actions.put(record.id, record);
  lifecycle.begin(kind, params, record.id);
  return record;
}

export function actionView(action: ActionRecord) {
  return {
    id: action.id,
    status: action.status,
    type: action.type,
    started_at: timestamp(new Date(action.startedAt)),
    completed_at: action.completedAt ? timestamp(new Date(action.completedAt)) : null,
    resource_id: action.resourceId,
    resource_type: action.resourceType,
    region: regionView(action.region),
    region_slug: action.region,
  };
}
