import type { ExecutionRow } from '../../db/lists/executions.ts';
import type { MessageHead } from '../../db/lists/messages.ts';
import type { Queries } from '../../db/queries.ts';
import type { ExecutionDetail } from '../../db/reports/execution-detail.ts';
import { logLevels } from '../../lib/logger.ts';
import { clip, clipShown } from '../shared/clip.ts';
import { present } from '../shared/params.ts';

/** Events and errors that are shown. */
export const lastEvents = 8;
const shownAgents = 12;
const shownText = 300;

/** Undefined becomes null: `present` leaves it out. */
export function driverOf(executionId: string, queries: Queries) {
  const driver = queries.driver(executionId);
  if (driver === undefined) return null;
  const { pid, hostname, isAlive, last_beat } = driver;
  return { pid, hostname, alive: isAlive, last_seen: last_beat };
}

/** Wall time; so far, while it runs. */
export function durationSeconds({ start_time, end_time }: ExecutionRow, now: number): number {
  const end = end_time === null ? now : Date.parse(end_time);
  return Math.max(0, end - Date.parse(start_time)) / 1000;
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
  return rows.map(({ agent_name, state, status, last_heartbeat }) => ({ agent_name, state, status, last_heartbeat }));
}

export function asEvent(row: MessageHead) {
  return present({
    time: row.sent_at,
    type: row.message_type,
    message_id: row.message_id,
    effect: row.effect,
    note: clipped(row.effect_reason),
  });
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
