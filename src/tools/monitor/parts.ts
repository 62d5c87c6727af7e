import type { Queries } from '../../db/queries.ts';
import type { ExecutionDetail } from '../../db/reports/execution-detail.ts';
import { logLevels } from '../../lib/logger.ts';
import type { CommandGiven, DriverSpan } from '../../monitoring/evidence.ts';
import type { AgedSlice, Pace } from '../../monitoring/pace.ts';
import { clip, clipShown } from '../shared/clip.ts';
import { present } from '../shared/params.ts';

/** Events and errors that are shown. */
export const lastEvents = 8;
const shownAgents = 12;
const shownText = 300;

/** Undefined becomes null: `present` leaves it out. */
export function commandOf(command: CommandGiven | undefined) {
  if (command === undefined) return null;
  const { name, time, reason, claimed_by } = command;
  return present({
    name: clipped(name) ?? '',
    time,
    reason: clipped(reason ?? null),
    claimed_by: clipped(claimed_by ?? null),
  });
}

export function driverOf({ epoch, since, until, by, host, pid, speed, version, ended, code, reason }: DriverSpan) {
  const why = reason === undefined ? null : code === undefined ? reason : `${code}: ${reason}`;
  return present({ epoch, since, until, by, host, pid, speed: String(speed), version, ended, reason: clipped(why) });
}

export function oldestOf(oldest: AgedSlice | undefined, { usual_seconds }: Pace) {
  if (oldest === undefined) return null;
  const { slice_filename, assigned_worker, since, seconds, attempt } = oldest;
  return present({
    slice_filename,
    assigned_worker,
    since,
    seconds: Math.round(seconds * 10) / 10,
    attempt,
    usual_seconds,
  });
}

export function datasetOf({ dataset_name, dataset_state, dataset_files, dataset_bytes }: ExecutionDetail) {
  if (dataset_name === null || dataset_state === null) return null;
  return { name: dataset_name, state: dataset_state, files: dataset_files, bytes: dataset_bytes };
}

export function agentsOf(executionId: string, queries: Queries) {
  const { rows } = queries.agents(
    { execution_id: executionId, include_exited: true },
    { order: 'newest', limit: shownAgents, uncounted: true },
  );
  // Those of an earlier driver went with it: its end stands among the drivers.
  return rows
    .filter(({ ended }) => ended !== 'lost')
    .map(({ agent_name, state, status, last_heartbeat }) => ({ agent_name, state, status, last_heartbeat }));
}

/** The last errors that agents logged and the last messages that could not be taken as they were, newest first. */
export function lastErrors(executionId: string, queries: Queries) {
  const logs = queries
    .logs(
      { execution_id: executionId, level: logLevels.ERROR },
      { order: 'newest', limit: lastEvents, uncounted: true },
    )
    .rows.map((row) => ({
      time: row.timestamp,
      source: row.agent,
      error: clipped(row.message) ?? '',
      log_id: row.key,
    }));
  const messages = queries.lastTroubledMessages(executionId, lastEvents).map((row) => ({
    time: row.recorded_at,
    source: row.sender_agent ?? row.destination,
    error: `${row.message_type} ${row.effect}: ${clipped(row.effect_reason) ?? ''}`,
    message_id: row.message_id,
  }));
  return [...logs, ...messages].toSorted((a, b) => (a.time < b.time ? 1 : -1)).slice(0, lastEvents);
}

export function clipped(text: string | null): string | null {
  if (text === null) return null;
  const shown = clipShown(text, shownText);
  return shown.length < shownText ? shown : `${clip(shown, shownText - 1)}…`;
}
