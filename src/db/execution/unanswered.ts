import { strangerSeconds } from '../../domain/liveness.ts';
import type { ExecutionParams } from '../../domain/params.ts';
import { planOf } from '../../domain/plan/versions.ts';
import { steadyClock } from '../../lib/time.ts';
import { sliceMessageId } from '../../messages/identity.ts';
import type { Message } from '../../messages/message.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { shortId } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { readMessage } from './log-reader.ts';

const maxRows = 1000;

/**
 * The messages of slices that have been queued or in progress for at least `seconds` since they were last
 * sent, and whether a worker has started them. The caller decides which of these slices a worker still has.
 */
export function idleSlices(sql: Prepare, executionId: string, seconds: number) {
  const before = (age: number) => new Date(steadyClock().now() - age * 1000).toISOString();
  const rows = sql<{ slice_filename: string; attempt: number; status: string }>(
    `SELECT slice_filename, s.attempt, status
     FROM tf_slices AS s JOIN message_rows AS m ON m.short_id = ${shortId(`s.execution_id || '/slice/' || slice_filename || '/' || s.attempt`)}
       LEFT JOIN system_agents ON agent_name = substr(assigned_worker, 1, instr(assigned_worker, '/') - 1) AND heard_on IS NULL
     WHERE s.execution_id = ? AND ${indexPredicates.openSlice} AND (m.outbox_sent_at < ? OR m.goes_out IN (0, 3)) AND (status = 'queued' OR
       (status = 'processing' AND assigned_at < iif(agent_name IS NULL, ?, ?))) ORDER BY s.seq LIMIT ${maxRows}`,
  ).all(executionId, before(seconds), before(strangerSeconds), before(seconds));
  return rows.map((row) => ({ id: sliceMessageId(executionId, row), isBegun: row.status === 'processing' }));
}

/** The message of a queued slice; undefined if this attempt at the slice is no longer queued. */
export function queuedSlice(sql: Prepare, messageId: string) {
  const message = readMessage(sql, messageId);
  if (message?.msg_type !== 'slice') return undefined;
  const isQueued = sql(
    `SELECT 1 FROM tf_slices WHERE slice_filename = ? AND execution_id = ? AND attempt = ? AND status = 'queued'`,
  ).has(message.slice_filename, message.execution_id ?? '', message.attempt);
  return isQueued ? message : undefined;
}

/** Whether an attempt at a slice is over because it has a result, or a later attempt was sent. */
export const isAttemptOver = (sql: Prepare, executionId: string, sliceFilename: string, attempt: number) =>
  sql(
    `SELECT 1 FROM tf_slices WHERE slice_filename = ? AND execution_id = ?
       AND (attempt > ? OR attempt = ? AND status IN ('completed', 'failed'))`,
  ).has(sliceFilename, executionId, attempt, attempt);

/** An unanswered message about a file. */
export type Unanswered = Message<'stf_gen' | 'stf_ready'>;

interface Stf {
  stf_filename: string;
}

/** The messages sent before `before` (ISO 8601) that announce STFs that are not ready yet. */
export function unreadyStfs(sql: Prepare, executionId: string, before: string): Unanswered[] {
  const rows = sql<Stf>(
    `SELECT stf_filename FROM stf_files
     WHERE execution_id = ? AND ${indexPredicates.registeredStf} AND created_at < ? ORDER BY seq LIMIT ${maxRows}`,
  ).all(executionId, before);
  return messagesOf(sql, executionId, 'stf_gen', rows);
}

/** The messages sent before `before` (ISO 8601) about ready STFs that still lack planned samples. */
export function unsampledStfs(sql: Prepare, executionId: string, before: string, params: ExecutionParams) {
  const plan = planOf(params);
  const rows = sql<{ stf_filename: string; sequence: number; tf_count: number; tf_file_count: number }>(
    `SELECT stf_filename, sequence, tf_count, tf_file_count FROM stf_files
     WHERE execution_id = ? AND status = 'processed' AND processed_at < ? AND tf_file_count < ? ORDER BY seq`,
  )
    .all(executionId, before, params.fastmon.tf_samples_per_stf)
    .filter((stf) => stf.tf_file_count < plan.sampleCount(stf))
    .slice(0, maxRows);
  return messagesOf(sql, executionId, 'stf_ready', rows);
}

export const readyStfs = (sql: Prepare, executionId: string, files: readonly Stf[]) =>
  messagesOf(sql, executionId, 'stf_ready', [...new Map(files.map((file) => [file.stf_filename, file])).values()]);

const messagesOf = (sql: Prepare, id: string, type: Unanswered['msg_type'], rows: readonly Stf[]): Unanswered[] =>
  rows.flatMap(({ stf_filename }) => {
    const message = readMessage(sql, `${id}/${type}/${stf_filename}`);
    return message?.msg_type === type ? [message] : [];
  });
