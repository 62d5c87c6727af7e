import type { ExecutionRow } from '../execution/find-execution.ts';
import { driverEnd } from '../execution/log-reader.ts';
import { heardTimeOfRun } from '../observed/hearings.ts';
import { isProcessAlive, lastSignOf, type LivenessTest, type Moment, ownerOf } from '../presence/leases.ts';
import type { Prepare } from '../sqlite/statements.ts';

/**
 * When an execution ended, in milliseconds since 1970: its end time; when its driver was last heard from, if
 * the driver is gone; now, while it runs; for a running observed execution, when it was last listened to.
 */
export function endOfLife(sql: Prepare, execution: Run, { isAlive, now }: Moment): number {
  const { execution_id, end_time } = execution;
  if (end_time !== null) return Date.parse(end_time);
  return (
    heardTimeOfRun(sql, execution_id, { isAlive, now })?.until ??
    Math.min(now, silentSince(sql, execution, isAlive) ?? now)
  );
}

type Run = Pick<ExecutionRow, 'execution_id' | 'end_time'>;

/**
 * When the driver was last heard from, if it is gone and the execution has no end. Milliseconds since 1970.
 */
export function silentSince(sql: Prepare, { execution_id, end_time }: Run, isAlive: LivenessTest): number | undefined {
  const owner = end_time === null ? ownerOf(sql, execution_id) : undefined;
  const ended = owner && driverEnd(sql, execution_id, owner.epoch);
  if (ended?.timestamp !== undefined) return Date.parse(ended.timestamp);
  return owner === undefined || isProcessAlive(owner, isAlive) ? undefined : Date.parse(lastSignOf(sql, owner).at);
}

/** Wall time of an execution in seconds, so far while it runs. */
export const secondsOfLife = ({ start_time }: Pick<ExecutionRow, 'start_time'>, end: number) =>
  Math.max(0, end - Date.parse(start_time)) / 1000;
