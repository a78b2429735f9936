/** A swarm task, as far as its end is concerned. Times are ISO 8601. */
export interface Task {
  readonly ServiceID: string;
  readonly NodeID?: string;
  readonly Slot?: number;
  readonly CreatedAt: string;
  readonly Status: {
    readonly State: string;
    readonly Timestamp: string;
    readonly Err?: string;
    readonly Message?: string;
  };
}

/** All tasks of a node end within this when it restarts, the first attempts to start them again included. */
const RESTART_MS = 60_000;
/** Tasks that began so shortly before an end may be part of the new start. */
const START_MS = 5_000;

/**
 * Whether a task ended only because its node restarted: those of other services ended with it, and none that
 * was there before outlived it. Swarm itself calls that a failure.
 *
 * @param tasks all tasks of the swarm
 */
export function endedByRestart(task: Task, tasks: readonly Task[]): boolean {
  const end = endOf(task, tasks);
  const neighbours = tasks
    .filter(({ NodeID, ServiceID }) => NodeID === task.NodeID && ServiceID !== task.ServiceID)
    .map((one) => ({ start: startOf(one), end: endOf(one, tasks) }));
  const endedWithIt = neighbours.some((one) => Math.abs(one.end - end) < RESTART_MS);
  const outlivedIt = neighbours.some(
    (one) => one.start < end - START_MS && one.end > end + RESTART_MS,
  );
  return endedWithIt && !outlivedIt;
}

const startOf = ({ CreatedAt }: Task) => Date.parse(CreatedAt);

/** At the latest when its successor was made: a second restart may write a new time on tasks that ended long ago. */
function endOf(task: Task, tasks: readonly Task[]): number {
  const said = task.Status.State === "running" ? Infinity : Date.parse(task.Status.Timestamp);
  const successors = tasks.filter(
    (one) => slotOf(one) === slotOf(task) && startOf(one) > startOf(task),
  );
  return Math.min(said, ...successors.map(startOf));
}

const slotOf = ({ ServiceID, NodeID, Slot }: Task) => `${ServiceID} ${Slot ?? NodeID ?? ""}`;
