import { isRetried } from '../../domain/slice-states.ts';
import type { StageName } from '../../domain/stages.ts';
import type { OwnExecution } from '../execution/find-execution.ts';
import { executionParams } from '../execution/params.ts';
import { cameOverBroker } from '../log/rows.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { isoTime, milliseconds } from '../migrations/message-columns.ts';
import { numberOf, typeNumbers } from '../migrations/names.ts';
import { addTo, keepDelays } from '../projection/sums.ts';
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
 * As SQL: the slices whose messages all lie in the part: each was tried once, and as many messages of it took
 * effect there as its row shows.
 */
const settledSlices = `SELECT slice_filename FROM (SELECT ${nameOfSlice} AS slice_filename, count(*) AS n ${ofSlices} GROUP BY 1) JOIN live.tf_slices USING (slice_filename)
  WHERE execution_id = $id AND attempt = 1 AND starts <= 1 AND left_from IS NULL AND took_ms IS NULL
    AND n = 1 + starts + (completed_at IS NOT NULL) AND slice_filename NOT IN (${eventful})`;

const isSettled = 'execution_id = ? AND slice_filename IN (SELECT name FROM settled_names)';

/** Copies the settled slices of an execution that swf-mcp ran, and counts them. */
export function copySlices(tx: Transaction, part: ExecutionPart) {
  const { sql } = tx;
  const { id } = part;
  sql(`INSERT INTO settled_names ${settledSlices}`).run(part);
  sql(`INSERT INTO settled SELECT seq ${ofSlices} AND ${nameOfSlice} IN (SELECT name FROM settled_names)`).run(part);
  for (const table of ['tf_slices', 'payload_results']) sql(insertFrom(sql, table, isSettled)).run(id);
  copyMessages(sql);
  countSlices(tx, id);
  for (const passage of passages) countPassages(tx, id, passage);
}

/** Copies the messages of what is settled, as a replay writes them: nothing is to be sent. */
export function copyMessages(sql: Prepare) {
  const instead = { goes_out: 'NULL', outbox_sent_at: `iif(${cameOverBroker}, ${isoTime('recorded_ms')}, NULL)` };
  sql(insertFrom(sql, 'message_rows', 'seq IN (SELECT seq FROM settled)', instead)).run();
}

function countSlices(tx: Transaction, id: string) {
  const { sql } = tx;
  const execution = sql<Pick<OwnExecution, 'key' | 'execution_id' | 'run_number' | 'start_time'>>(
    'SELECT seq AS key, execution_id, run_number, start_time FROM workflow_executions WHERE execution_id = ?',
  ).get(id);
  if (execution === undefined) return;
  const { max_retries } = executionParams(sql, execution).worker;
  const groups = sql<{ status: string; n: number }>(
    `SELECT status, count(*) AS n FROM live.tf_slices WHERE ${isSettled} GROUP BY status`,
  ).all(id);
  for (const { status, n } of groups) {
    addTo(tx, 'run_states', [id], 'slices_created', n);
    addTo(tx, 'run_states', [id], `slices_${status}`, n);
    if (status === 'failed' && !isRetried(1, max_retries)) addTo(tx, 'run_states', [id], 'slices_exhausted', n);
  }
}

/** As SQL: a stage that slices passed, when they entered and left it, and which did. */
type Passage = readonly [stage: StageName, from: string, to: string, where: string];

const passages: readonly Passage[] = [
  ['tf_file_registered → slice', 'f.created_at', 's.created_at', 'TRUE'],
  ['slice → slice_started', 's.created_at', 's.assigned_at', 'starts = 1'],
  ['slice_started → slice_result', 's.assigned_at', 's.completed_at', `starts = 1 AND status = 'completed'`],
  ['slice_started → failed result', 's.assigned_at', 's.completed_at', `starts = 1 AND status = 'failed'`],
];

function countPassages(tx: Transaction, id: string, [stage, from, to, where]: Passage) {
  const groups = tx.sql<{ ms: number; items: number; latest: string }>(
    `SELECT max(0, ${milliseconds(to)} - ${milliseconds(from)}) AS ms, count(*) AS items, max(${to}) AS latest
     FROM settled_names JOIN live.tf_slices AS s ON s.slice_filename = name JOIN live.fastmon_files AS f USING (tf_filename, execution_id)
     WHERE execution_id = ? AND ${where} GROUP BY 1`,
  );
  for (const { ms, items, latest } of groups.all(id)) keepDelays(tx, id, stage, { seconds: ms / 1000, items, latest });
}
