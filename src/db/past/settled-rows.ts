import type { StageName } from '../../domain/stages.ts';
import { promptProcessing } from '../../domain/workflows.ts';
import { requireExecution } from '../execution/find-execution.ts';
import { knownParams } from '../execution/params.ts';
import { cameOverBroker, isExecution } from '../log/rows.ts';
import type { LogPart } from '../maintenance/replay.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { isoTime, milliseconds } from '../migrations/message-columns.ts';
import { numberOf, typeNumbers } from '../migrations/names.ts';
import { tookOtherwise } from '../projection/slice-work.ts';
import { keepDelay, keepDelays } from '../projection/sums.ts';
import type { Connection } from '../sqlite/connection.ts';
import { jsonField, type Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import { chooseHeard, copyHeard, type ExecutionPart } from './settled-heard.ts';
import { insertFrom } from './unlogged-rows.ts';

/**
 * An execution with new messages for a past store, and possibly later messages that do not belong in it yet.
 */
interface PartlyNew {
  id: string;
  origin: keyof typeof ways;
}

/** As SQL: the rows in an execution's log. */
const ofLog = 'FROM live.message_rows WHERE execution_no = name_no';

/**
 * The executions with many new rows, except executions of prompt processing, whose messages depend on one
 * another, and executions that share a run, since a message may belong to any of them.
 */
const partlyNew = (sql: Prepare, { after, last, recordedBy }: LogPart, least: number) =>
  sql<PartlyNew>(
    `SELECT execution_id AS id, origin FROM live.workflow_executions AS e JOIN live.names ON name = execution_id
     WHERE (SELECT count(*) FROM (SELECT 1 ${ofLog} AND seq > $after AND seq <= $last LIMIT $least)) = $least
       AND NOT EXISTS (SELECT 1 FROM message_rows WHERE execution_no = name_no AND seq > $after)
       AND ($recordedBy = ${Number.MAX_SAFE_INTEGER} OR NOT EXISTS (SELECT 1 ${ofLog} AND seq <= $last AND recorded_ms > $recordedBy))
       AND workflow_name IS NOT '${promptProcessing}'
       AND NOT EXISTS (SELECT 1 FROM live.observed_runs AS o JOIN live.observed_runs AS other USING (run_id)
         WHERE o.execution_id = e.execution_id AND (other.execution_id <> e.execution_id OR o.policy IS NOT NULL))`,
  ).all({ after, last, recordedBy, least });

/** As SQL: the columns that decide which messages belong to an observed execution. */
const names = (schema: string) =>
  `SELECT told_id, namespace, run_id, told_start FROM ${schema}.observed_runs WHERE execution_id = $id`;

/** Whether the replayed messages give all names by which messages are assigned to an observed execution. */
const isKnown = (sql: Prepare, id: string) => sql(`${names('main')} INTERSECT ${names('live')}`).has({ id });

/**
 * For each origin of executions: whether it is known which messages belong to an execution, how to choose
 * settled rows, and how to copy them.
 */
const ways = {
  own: { isKnown: isExecution, choose: chooseSlices, copy: copySlices },
  observed: { isKnown, choose: chooseHeard, copy: copyHeard },
};

/**
 * The settled rows as of the end of a part of a log. If all messages about a slice or a file are in the part,
 * it had reached its present state by then, so its rows are copied. All other messages have to be replayed.
 * @param least an execution with fewer new messages than this is replayed without looking for settled rows
 */
export function settledRows(sql: Prepare, live: Connection, part: LogPart, least: number) {
  for (const table of ['settled (seq INTEGER PRIMARY KEY)', 'settled_names (name TEXT PRIMARY KEY) WITHOUT ROWID'])
    sql(`CREATE TEMP TABLE IF NOT EXISTS ${table}`).run();
  for (const table of ['settled', 'settled_names']) sql(`DELETE FROM ${table}`).run();
  let waiting = partlyNew(sql, part, least);
  const known: PartlyNew[] = [];
  return {
    /** As SQL: the numbers of the messages that need no replay. */
    numbers: 'SELECT seq FROM settled',
    /**
     * Chooses the settled rows of the executions whose messages can be recognized at this point of the replay.
     * @param after the last replayed row
     */
    choose(after: number) {
      const found = waiting.filter(({ id, origin }) => ways[origin].isKnown(sql, id));
      if (found.length === 0) return;
      waiting = waiting.filter((one) => !found.includes(one));
      known.push(...found);
      for (const { id, origin } of found) ways[origin].choose(sql, { id, after, last: part.last }, live);
    },
    /** Copies the settled rows once everything else has been replayed. */
    copy(tx: Transaction) {
      sql(insertFrom(sql, 'message_rows', 'seq IN (SELECT seq FROM settled)', unsent)).run();
      for (const { id, origin } of known) {
        ways[origin].copy(tx, id);
        // No message from other programs says how often a slice may be retried.
        const { max_retries = 0 } = knownParams(sql, requireExecution(sql, id))?.worker ?? {};
        for (const update of counts) sql(update).run({ id, max_retries });
      }
    },
  };
}

/** As SQL: the columns of a message that differ in a past store, since nothing is to be sent from it. */
const unsent = { goes_out: 'NULL', outbox_sent_at: `iif(${cameOverBroker}, ${isoTime('recorded_ms')}, NULL)` };

const slicesThat = (condition: string) => `count(*) FILTER (WHERE ${condition})`;

/** As SQL: counts the slices of an execution and of each of its files. */
const counts = [
  `UPDATE run_states SET (slices_created, slices_queued, slices_processing, slices_completed, slices_failed, slices_exhausted) = (
     SELECT count(*), ${["status IN ('queued', 'unanswered')", "status = 'processing'", "status = 'completed'", "status = 'failed'", "status = 'failed' AND attempt > $max_retries"].map(slicesThat).join(', ')}
     FROM tf_slices WHERE execution_id = $id),
     (slice_retries, slices_retried) = (SELECT count(*), count(DISTINCT slice_filename) FROM earlier_attempts WHERE execution_id = $id)
   WHERE execution_id = $id`,
  ...[
    ['stf_files', 'stf'],
    ['fastmon_files', 'tf'],
  ].map(
    ([table, kind]) =>
      `UPDATE ${table} SET slice_count = (SELECT count(*) FROM tf_slices AS s INDEXED BY tf_slices_${kind} WHERE s.${kind}_filename = ${table}.${kind}_filename
         AND s.execution_id = ${table}.execution_id) WHERE execution_id = $id`,
  ),
];

const nameOfSlice = jsonField('body', 'slice_filename');

/** As SQL: the applied messages about slices in the part. */
const ofSlices = `FROM live.message_rows INDEXED BY message_rows_type WHERE execution_no = ${numberOf('$id')}
  AND type_no IN ${typeNumbers(['slice', 'slice_started', 'slice_result'])} AND seq > $after AND seq <= $last AND effect = 'applied'`;

/**
 * As SQL: the names of slices to be replayed, because one of a slice's messages had no effect or took effect
 * late, or because a worker returned the slice.
 */
const eventful = `SELECT ${nameOfSlice} FROM live.message_rows WHERE execution_no = ${numberOf('$id')} AND ${indexPredicates.withoutEffect} AND ${nameOfSlice} IS NOT NULL
  UNION ALL SELECT ${nameOfSlice} FROM live.late_messages JOIN live.message_rows USING (seq) WHERE execution_id = $id AND ${nameOfSlice} IS NOT NULL
  UNION ALL SELECT slice_filename FROM live.returned_slices WHERE execution_id = $id`;

/**
 * As SQL: the slices whose messages are all in the part. For each, the number of messages that took effect in
 * the part matches the slice's attempts, and no attempt was started twice.
 */
const settledSlices = `SELECT slice_filename FROM (SELECT ${nameOfSlice} AS slice_filename, count(*) AS n ${ofSlices} GROUP BY 1) CROSS JOIN live.tf_slices AS s USING (slice_filename)
  LEFT JOIN (SELECT slice_filename, sum(starts) AS starts_before, max(starts) AS most FROM live.earlier_attempts WHERE execution_id = $id GROUP BY 1) USING (slice_filename)
  WHERE execution_id = $id AND starts <= 1 AND coalesce(most, 0) <= 1 AND left_from IS NULL AND took_ms IS NULL
    AND n = 2 * attempt - 1 + coalesce(starts_before, 0) + starts + (completed_at IS NOT NULL) AND slice_filename NOT IN (${eventful})`;

/** Chooses the settled slices of an execution that swf-mcp ran. */
function chooseSlices(sql: Prepare, part: ExecutionPart) {
  sql(`INSERT INTO settled_names ${settledSlices}`).run(part);
  sql(`INSERT INTO settled SELECT seq ${ofSlices} AND ${nameOfSlice} IN (SELECT name FROM settled_names)`).run(part);
}

const isSettled = 'execution_id = ? AND slice_filename IN (SELECT name FROM settled_names)';

function copySlices(tx: Transaction, id: string) {
  const { sql } = tx;
  for (const table of ['tf_slices', 'earlier_attempts', 'payload_results'])
    sql(insertFrom(sql, table, isSettled)).run(id);
  for (const passage of passages) countPassages(tx, id, passage);
  countEarlier(tx, id);
}

/** A stage of slices; as SQL, when a slice entered and left it, and a condition for the slices that passed it. */
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

/** Counts the delays of attempts that failed and were retried. */
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
