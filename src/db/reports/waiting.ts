import type { Counts } from '../../domain/counts.ts';
import type { ExecutionParams } from '../../domain/params.ts';
import { planOf } from '../../domain/plan/versions.ts';
import type { Facts } from '../../monitoring/facts.ts';
import { type PhaseChange, phasesOf } from '../../monitoring/timeline/phases.ts';
import { happenedAt } from '../log/rows.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { isoTime } from '../migrations/message-columns.ts';
import { nameOf, numberOf, typeNumbers } from '../migrations/names.ts';
import { jsonField, type Prepare } from '../sqlite/statements.ts';

/**
 * When the longest current wait for each stage began: the arrival of the oldest file or slice that the stage
 * has not taken.
 */
export function waitingSince(
  sql: Prepare,
  executionId: string,
  { slices_queued, slices_created }: Counts,
  { slices_expected, params }: { slices_expected: number; params: ExecutionParams },
): Facts['waiting_since'] {
  const first = (text: string, isAny = true) =>
    isAny ? (sql<string | null>(text).value({ id: executionId }) ?? undefined) : undefined;
  return {
    data: first(
      `SELECT created_at AS at FROM stf_files WHERE execution_id = $id AND ${indexPredicates.registeredStf} ORDER BY seq LIMIT 1`,
    ),
    fastmon: unsampledSince(sql, executionId, params),
    fast_processing: first(
      `SELECT created_at AS at FROM fastmon_files WHERE execution_id = $id AND seq > coalesce((SELECT max(seq) FROM fastmon_files WHERE execution_id = $id AND slice_count > 0), 0) ORDER BY seq LIMIT 1`,
      slices_expected > slices_created,
    ),
    worker: first(
      `SELECT coalesce(queued_again_at, created_at) AS at FROM tf_slices INDEXED BY tf_slices_open WHERE execution_id = $id AND ${indexPredicates.openSlice} AND status = 'queued' ORDER BY seq LIMIT 1`,
      slices_queued !== 0,
    ),
  };
}

/**
 * How many STF files to examine after the last sampled one, since with a low sampling rate many files yield no
 * samples.
 */
const maxUnsampled = 1000;

/** When the oldest STF file that lacks samples became ready. */
function unsampledSince(sql: Prepare, executionId: string, params: ExecutionParams) {
  const plan = planOf(params);
  return sql<{ sequence: number; tf_count: number; tf_file_count: number; at: string }>(
    `SELECT sequence, tf_count, tf_file_count, processed_at AS at FROM stf_files WHERE execution_id = $id AND status = 'processed'
       AND seq >= coalesce((SELECT max(seq) FROM stf_files WHERE execution_id = $id AND tf_file_count > 0), 0) ORDER BY seq LIMIT ${maxUnsampled}`,
  )
    .all({ id: executionId })
    .find((stf) => stf.tf_file_count < plan.sampleCount(stf))?.at;
}

/**
 * Maximum number of phase changes to examine. A stage that has been idle since before all of these is stuck
 * anyway.
 */
const maxChanges = 100;

/**
 * The newest periods in which workers start nothing: between two physics periods, and while an operator has
 * paused the run.
 */
export const standbysOf = (sql: Prepare, id: string) =>
  phasesOf(0, phaseChanges(sql, id, maxChanges)).filter(({ phase }) => phase === 'standby' || phase === 'paused');

const phaseTypes = 'run_imminent start_run pause_run resume_run end_run pause_workflow workflow_ended'.split(' ');

type ChangeRow = Record<'type' | 'at', string> & Record<'reason' | 'by', string | null>;

/**
 * The newest phase changes of an execution, oldest first. Includes a stop that other programs reported to their
 * monitor.
 */
export function phaseChanges(sql: Prepare, executionId: string, limit: number): PhaseChange[] {
  const rows = sql<ChangeRow>(
    `SELECT ${nameOf('type_no')} AS type, ${happenedAt} AS at, ${jsonField('body', 'reason')} AS reason, coalesce(${jsonField('body', 'claimed_by')}, ${nameOf('sender_no')}) AS by
     FROM message_rows INDEXED BY message_rows_landmarks
     WHERE execution_no = ${numberOf('?')} AND ${indexPredicates.landmark} AND type_no IN ${typeNumbers(phaseTypes)} AND effect = 'applied'
     ORDER BY seq DESC LIMIT ?`,
  ).all(executionId, limit);
  const stop = sql<ChangeRow>(
    `SELECT 'workflow_ended' AS type, ${isoTime('told_end_ms')} AS at, told_status AS reason, told_by AS by
     FROM observed_runs WHERE execution_id = ? AND told_status IN ('terminated', 'failed') AND told_end_ms IS NOT NULL`,
  ).all(executionId);
  return [...rows.toReversed(), ...stop].map(({ type, at, reason, by }) => ({
    type,
    at: Date.parse(at),
    reason: reason ?? undefined,
    by: by ?? undefined,
  }));
}
