import { isRetried } from '../../domain/slice-states.ts';
import type { StageName } from '../../domain/stages.ts';
import type { OwnExecution } from '../execution/find-execution.ts';
import { executionParams } from '../execution/params.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { milliseconds } from '../migrations/message-columns.ts';
import { numberOf, typeNumbers } from '../migrations/names.ts';
import { tookOtherwise } from '../projection/slice-work.ts';
import { addTo, keepDelay, keepDelays } from '../projection/sums.ts';
import { jsonField, type Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import { insertFrom } from './unlogged-rows.ts';

/** Rows of an execution's log after `after`, up to `last`. */
export interface ExecutionPart {
  id: string;
  after: number;
  last: number;
}

const nameOfSlice = jsonField('body', 'slice_filename');

/** As SQL: applied messages about slices in the part. */
const ofSlices = `FROM live.message_rows INDEXED BY message_rows_type WHERE execution_no = ${numberOf('$id')}
  AND type_no IN ${typeNumbers(['slice', 'slice_started', 'slice_result'])} AND seq > $after AND seq <= $last AND effect = 'applied'`;

/** As SQL: names of slices that are to be replayed: a message had no effect or a late one, or a worker gave it back. */
const eventful = `SELECT ${nameOfSlice} FROM live.message_rows WHERE execution_no = ${numberOf('$id')} AND ${indexPredicates.withoutEffect} AND ${nameOfSlice} IS NOT NULL
  UNION ALL SELECT ${nameOfSlice} FROM live.late_messages JOIN live.message_rows USING (seq) WHERE execution_id = $id AND ${nameOfSlice} IS NOT NULL
  UNION ALL SELECT slice_filename FROM live.returned_slices WHERE execution_id = $id`;

/**
 * As SQL: the slices whose messages all lie in the part: as many took effect there as the attempts show, none of
 * which was started twice.
 */
const settledSlices = `SELECT slice_filename FROM (SELECT ${nameOfSlice} AS slice_filename, count(*) AS n ${ofSlices} GROUP BY 1) CROSS JOIN live.tf_slices AS s USING (slice_filename)
  LEFT JOIN (SELECT slice_filename, sum(starts) AS starts_before, max(starts) AS most FROM live.earlier_attempts WHERE execution_id = $id GROUP BY 1) USING (slice_filename)
  WHERE execution_id = $id AND starts <= 1 AND coalesce(most, 0) <= 1 AND left_from IS NULL AND took_ms IS NULL
    AND n = 2 * attempt - 1 + coalesce(starts_before, 0) + starts + (completed_at IS NOT NULL) AND slice_filename NOT IN (${eventful})`;

/** Chooses the settled slices of an execution that swf-mcp ran. */
export function chooseSlices(sql: Prepare, part: ExecutionPart) {
  sql(`INSERT INTO settled_names ${settledSlices}`).run(part);
  sql(`INSERT INTO settled SELECT seq ${ofSlices} AND ${nameOfSlice} IN (SELECT name FROM settled_names)`).run(part);
}

const isSettled = 'execution_id = ? AND slice_filename IN (SELECT name FROM settled_names)';

/** Copies the chosen slices, and counts them. */
export function copySlices(tx: Transaction, id: string) {
  const { sql } = tx;
  for (const table of ['tf_slices', 'earlier_attempts', 'payload_results'])
    sql(insertFrom(sql, table, isSettled)).run(id);
  countSlices(tx, id);
  for (const passage of passages) countPassages(tx, id, passage);
  countEarlier(tx, id);
}

function countSlices(tx: Transaction, id: string) {
  const { sql } = tx;
  const execution = sql<Pick<OwnExecution, 'key' | 'execution_id' | 'run_number' | 'start_time'>>(
    'SELECT seq AS key, execution_id, run_number, start_time FROM workflow_executions WHERE execution_id = ?',
  ).get(id);
  if (execution === undefined) return;
  const { max_retries } = executionParams(sql, execution).worker;
  const groups = sql<{ status: string; attempt: number; n: number }>(
    `SELECT status, attempt, count(*) AS n FROM live.tf_slices WHERE ${isSettled} GROUP BY 1, 2`,
  ).all(id);
  const add = (column: string, n: number) => addTo(tx, 'run_states', [id], column, n);
  for (const { status, attempt, n } of groups) {
    add('slices_created', n);
    add(`slices_${status}`, n);
    add('slice_retries', n * (attempt - 1));
    add('slices_retried', attempt > 1 ? n : 0);
    add('slices_exhausted', status === 'failed' && !isRetried(attempt, max_retries) ? n : 0);
  }
}

/** As SQL: a stage that slices passed, when they entered and left it, and which did. */
type Passage = readonly [stage: StageName, from: string, to: string, where: string];

const queuedAt = 'coalesce(s.queued_again_at, s.created_at)';

const passages: readonly Passage[] = [
  ['tf_file_registered → slice', 'f.created_at', 's.created_at', 'TRUE'],
  ['slice → slice_started', queuedAt, 's.assigned_at', 'starts = 1'],
  ['slice_started → slice_result', 's.assigned_at', 's.completed_at', `starts = 1 AND status = 'completed'`],
  ['slice_started → failed result', 's.assigned_at', 's.completed_at', `starts = 1 AND status = 'failed'`],
];

function countPassages(tx: Transaction, id: string, [stage, from, to, where]: Passage) {
  const groups = tx.sql<{ ms: number; items: number; latest: string }>(
    `SELECT max(0, ${milliseconds(to)} - ${milliseconds(from)}) AS ms, count(*) AS items, max(${to}) AS latest
     FROM settled_names CROSS JOIN live.tf_slices AS s ON s.slice_filename = name CROSS JOIN live.fastmon_files AS f USING (tf_filename, execution_id)
     WHERE execution_id = ? AND ${where} GROUP BY 1`,
  );
  for (const { ms, items, latest } of groups.all(id)) keepDelays(tx, id, stage, { seconds: ms / 1000, items, latest });
}

interface EarlierAttempt {
  queued_at: string;
  started_at: string;
  completed_at: string;
  took_seconds: number | null;
}

/** Counts the delays of attempts that failed and were repeated. */
function countEarlier(tx: Transaction, id: string) {
  const attempts = tx.sql<EarlierAttempt>(
    `SELECT queued_at, started_at, completed_at, (SELECT ${jsonField('body', 'took_seconds')} FROM live.message_rows
       WHERE short_id = ${numberOf('$id')} || '/slice_result/' || slice_filename || '/' || attempt || '/' || worker_id || '@' || hostname) AS took_seconds
     FROM live.earlier_attempts WHERE execution_id = $id AND starts = 1 AND slice_filename IN (SELECT name FROM settled_names)`,
  );
  for (const { queued_at, started_at: from, completed_at: to, took_seconds } of attempts.all({ id })) {
    keepDelay(tx, { execution_id: id }, 'slice → slice_started', { from: queued_at, to: from });
    const seconds = tookOtherwise(took_seconds ?? undefined, from, to);
    keepDelay(tx, { execution_id: id }, 'slice_started → failed result', { from, to, seconds });
  }
}
