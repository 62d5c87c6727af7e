import { secondsAhead } from '../../domain/liveness.ts';
import type { ExecutionRow } from '../execution/find-execution.ts';
import { driverEnd } from '../execution/log-reader.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { numberOf } from '../migrations/names.ts';
import { heardTimeOfRun } from '../observed/hearings.ts';
import { isProcessAlive, lastSignOf, type LivenessTest, type Moment, ownerOf } from '../presence/leases.ts';
import type { Prepare } from '../sqlite/statements.ts';

/**
 * When an execution ended, in milliseconds since 1970: its end time; if its driver is gone, when the driver
 * was last heard from; while it runs, now; for a running observed execution, when it was last observed.
 * Undefined while its newest row is ahead of this host's clock.
 */
export function endOfLife(sql: Prepare, execution: Run, moment: Moment) {
  const { execution_id, end_time } = execution;
  if (end_time !== null) return Date.parse(end_time);
  const { isAlive, now } = moment;
  if (aheadOf(sql, execution_id, now) > 0) return undefined;
  const heard = heardTimeOfRun(sql, execution_id, moment);
  if (heard !== undefined) return heard.until;
  return Math.min(now, silentSince(sql, execution, isAlive) ?? now);
}

/** The seconds by which the newest row of an execution is ahead of this host's clock; see `secondsAhead`. */
export const aheadOf = (sql: Prepare, id: string, now: number) =>
  secondsAhead(sql<number>(newestRow).value({ id }) ?? 0, now);

/** As SQL: when the newest row of the execution $id was recorded. Milliseconds since 1970. */
export const newestRow = `SELECT recorded_ms FROM message_rows
  WHERE execution_no = ${numberOf('$id')} AND ${indexPredicates.exceptLogbook} ORDER BY seq DESC LIMIT 1`;

/**
 * When the row that made an execution known was recorded. For an observed execution, this is the first row that
 * names it, since rows recorded earlier are assigned to it only later. Milliseconds since 1970.
 */
export const recordedFrom = (sql: Prepare, executionId: string) =>
  sql<number>(
    `SELECT recorded_ms FROM message_rows WHERE execution_no = ${numberOf('$id')} AND (headers IS NULL
       OR instr(body || coalesce(destination, ''), (SELECT told_id FROM observed_runs WHERE execution_id = $id)) > 0) ORDER BY seq LIMIT 1`,
  ).value({ id: executionId });

type Run = Pick<ExecutionRow, 'execution_id' | 'end_time'>;

/**
 * When the driver was last heard from, if it is gone and the execution has no end. Milliseconds since 1970.
 */
export function silentSince(sql: Prepare, { execution_id, end_time }: Run, isAlive: LivenessTest) {
  const owner = end_time === null ? ownerOf(sql, execution_id) : undefined;
  const ended = owner && driverEnd(sql, execution_id, owner.epoch);
  if (ended?.timestamp !== undefined) return Date.parse(ended.timestamp);
  return owner === undefined || isProcessAlive(owner, isAlive) ? undefined : Date.parse(lastSignOf(sql, owner).at);
}

/** The seconds since the driver of an execution was last heard from, if known; see `silentSince`. */
export function secondsSilent(sql: Prepare, execution: Run, { isAlive, now }: Moment) {
  const since = silentSince(sql, execution, isAlive);
  return since === undefined || aheadOf(sql, execution.execution_id, now) > 0
    ? undefined
    : Math.max(0, now - since) / 1000;
}

/** The wall time of an execution in seconds, up to now if it is running; undefined if unknown. */
export function secondsOfLife(sql: Prepare, execution: Run & Pick<ExecutionRow, 'start_time'>, moment: Moment) {
  const end = endOfLife(sql, execution, moment);
  return end === undefined ? undefined : Math.max(0, end - Date.parse(execution.start_time)) / 1000;
}
