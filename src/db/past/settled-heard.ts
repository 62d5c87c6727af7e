import type { Said } from '../../observed/folding/said.ts';
import { stfSubjects, tfSubjects } from '../../observed/folding/subjects.ts';
import { readStatement } from '../../observed/told/read-told.ts';
import type { LogPart } from '../maintenance/replay.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { numberOf } from '../migrations/names.ts';
import { workflowSeen } from '../observed/files.ts';
import { countKeys } from '../observed/key-counts.ts';
import { extend } from '../observed/run.ts';
import { lineOf, relatedMessages, saidAt, saidColumns, type StoredMessage } from '../observed/said.ts';
import { reopenSettled } from '../observed/settle.ts';
import { lastOfSlices } from '../observed/work.ts';
import { addTo } from '../projection/sums.ts';
import type { Connection } from '../sqlite/connection.ts';
import { preparer, type Prepare } from '../sqlite/statements.ts';
import { transactOn, type Transaction } from '../sqlite/transaction.ts';
import { insertFrom } from './unlogged-rows.ts';

/** The rows in an execution's log after `after`, up to `last`. */
export interface ExecutionPart extends Pick<LogPart, 'after' | 'last'> {
  id: string;
}

const listed = (words: readonly string[]) => words.map((word) => `'${word}'`).join(', ');

/** As SQL: a subject as one text, the same for related messages. */
const topic = `CASE WHEN subject IN (${listed(stfSubjects)}) THEN 'stf ' || key WHEN subject IN (${listed(tfSubjects)}) THEN 'tf ' || key
  WHEN subject IN ('slice', 'told_slice') THEN 'slice ' || key WHEN subject IN ('request', 'id', 'time') THEN subject || ' ' || key WHEN subject = 'result' THEN key END`;

/** As SQL: the subjects of files and slices. */
const subjects = `FROM live.message_subjects WHERE execution_id = $id AND subject IN (${listed([...stfSubjects, ...tfSubjects, 'slice', 'told_slice', 'request', 'id', 'time', 'result'])})`;

const inPart = 'seq > $after AND seq <= $last';

/**
 * As SQL: the messages to be replayed along with all related messages: one for each subject that has messages
 * both inside and outside the part; registrations of slices over REST; results that match no slice; and
 * messages that name no run.
 */
const openMessages = `SELECT min(seq) ${subjects} GROUP BY ${topic} HAVING min(seq) <= $last AND max(seq) > $after AND (max(seq) > $last OR min(seq) <= $after)
  UNION ALL SELECT seq FROM live.message_subjects WHERE execution_id = $id AND subject = 'told_slice' AND ${inPart}
  UNION ALL SELECT seq FROM live.message_rows AS m WHERE execution_no = ${numberOf('$id')} AND run_no IS NULL AND ${inPart}
  UNION ALL SELECT seq FROM live.message_rows AS m INDEXED BY message_rows_type WHERE execution_no = ${numberOf('$id')} AND type_no = ${numberOf(`'slice_result'`)} AND ${inPart}
    AND NOT EXISTS (SELECT 1 FROM live.message_subjects AS s WHERE s.execution_id = $id AND s.seq = m.seq AND ${indexPredicates.deciding})
    AND NOT EXISTS (SELECT 1 FROM live.message_subjects AS s WHERE s.seq = m.seq AND stands_seq IS NOT NULL)`;

/** As SQL: the names of an execution's unsettled files of the given kinds. */
const openFiles = (kinds: readonly string[]) =>
  `SELECT key FROM live.message_subjects WHERE execution_id = $id AND subject IN (${listed(kinds)}) AND seq NOT IN (SELECT seq FROM settled)`;

/** As SQL: the messages about files of the given kinds and names. */
const aboutFiles = (kinds: readonly string[], names: string) =>
  `SELECT seq FROM live.message_subjects WHERE execution_id = $id AND subject IN (${listed(kinds)}) AND key IN (${names})`;

const ofFiles = 'FROM live.fastmon_files WHERE execution_id = $id';

/**
 * Chooses the settled files and slices of an observed execution. An STF file and its TF files are settled
 * only together.
 */
export function chooseHeard(sql: Prepare, part: ExecutionPart, live: Connection) {
  const { id } = part;
  sql(`INSERT OR IGNORE INTO settled SELECT seq ${subjects} AND ${inPart}`).run(part);
  const open = JSON.stringify([...allRelated(live, id, sql<number>(openMessages).values(part))]);
  sql('DELETE FROM settled WHERE seq IN (SELECT value FROM json_each(?))').run(open);
  const stfsOfOpen = `SELECT stf_filename ${ofFiles} AND tf_filename IN (${openFiles(tfSubjects)})`;
  sql(`DELETE FROM settled WHERE seq IN (${aboutFiles(stfSubjects, stfsOfOpen)})`).run({ id });
  const tfsOfOpen = `SELECT tf_filename ${ofFiles} AND stf_filename IN (${openFiles(stfSubjects)})`;
  sql(`DELETE FROM settled WHERE seq IN (${aboutFiles(tfSubjects, tfsOfOpen)})`).run({ id });
}

/** Copies the chosen files and slices, and counts them. */
export function copyHeard(tx: Transaction, id: string) {
  const { sql } = tx;
  sql(insertFrom(sql, 'message_subjects', 'execution_id = ? AND seq IN (SELECT seq FROM settled)')).run(id);
  for (const [table, column, kinds] of tables) {
    const names = `SELECT key FROM message_subjects WHERE execution_id = $id AND subject IN (${listed(kinds)}) AND seq IN (SELECT seq FROM settled)`;
    sql(insertFrom(sql, table, `execution_id = $id AND ${column} IN (${names})`)).run({ id });
  }
  reopenSettled(sql, id);
  noteMessages(tx, id);
  recount(sql, id);
}

/**
 * Tables with a row for each file or slice. For each table: the column with the file's or slice's name, and the
 * subjects that contain this name.
 */
const tables: readonly (readonly [table: string, column: string, kinds: readonly string[]])[] = [
  ['stf_files', 'stf_filename', stfSubjects],
  ['fastmon_files', 'tf_filename', tfSubjects],
  ['tf_slices', 'slice_filename', ['attempt']],
  ['earlier_attempts', 'slice_filename', ['attempt']],
];

/** The sequence numbers of these messages and of all messages related to them. */
function allRelated(live: Connection, execution_id: string, seqs: readonly number[]) {
  const all = new Set<number>();
  for (const seq of seqs)
    if (!all.has(seq))
      transactOn(preparer(live), (tx) => {
        const said = saidAt(tx, seq);
        all.add(seq);
        if (said === undefined) return;
        for (const other of relatedMessages({ tx, sql: tx.sql, execution_id, run_number: null }, said).keys())
          all.add(other);
      });
  return all;
}

const page = 1000;

interface SettledMessage extends Said, StoredMessage {
  repeats: 0 | 1;
}

/** Records what the settled messages show about the execution, beyond files and slices. */
function noteMessages(tx: Transaction, id: string) {
  const scope = { tx, sql: tx.sql, execution_id: id, run_number: null };
  const some = tx.sql<SettledMessage>(
    `SELECT ${saidColumns}, EXISTS (SELECT 1 FROM message_subjects AS s WHERE s.seq = m.seq AND stands_seq IS NOT NULL) AS repeats
     FROM settled CROSS JOIN message_rows AS m USING (seq) WHERE seq > ? AND execution_no = ${numberOf('?')} ORDER BY seq LIMIT ${page}`,
  );
  for (let last: number | undefined = 0; last !== undefined;) {
    const rows = some.all(last, id);
    for (const row of rows) {
      const line = lineOf(row);
      const statement = readStatement(line);
      extend(tx, id, row.sent_ms, statement.dialect);
      countKeys(tx, id, statement, line);
      const { fact } = statement;
      if (fact === undefined) continue;
      workflowSeen(scope, fact);
      if (fact.kind === 'slice' && !fact.namesExecution && row.repeats === 0)
        addTo(tx, 'observed_runs', [id], 'without_execution', 1);
    }
    last = rows.at(-1)?.seq;
  }
}

const processed = `count(*) FILTER (WHERE status = 'processed')`;

/** Recomputes the values derived from the rows of an observed execution. */
function recount(sql: Prepare, id: string) {
  for (const update of [
    `UPDATE stf_files SET tf_file_count = (SELECT count(*) FROM fastmon_files AS f INDEXED BY fastmon_files_stf WHERE f.stf_filename = stf_files.stf_filename AND f.execution_id = $id) WHERE execution_id = $id`,
    `INSERT OR REPLACE INTO observed_samples (execution_id, tf_filename, slices, largest, first_at)
     SELECT execution_id, tf_filename, count(*), max(tf_count), min(created_at) FROM tf_slices WHERE execution_id = $id GROUP BY 1, 2`,
    `UPDATE run_states SET (stfs_announced, stfs_ready) = (SELECT count(*), ${processed} FROM stf_files WHERE execution_id = $id),
       tf_files_received = (SELECT count(*) FROM message_subjects WHERE execution_id = $id AND subject = 'tf_file_registered' AND stands_seq IS NULL)
     WHERE execution_id = $id`,
    `UPDATE runs SET (dataset_files, dataset_bytes) = (SELECT ${processed}, coalesce(sum(size_bytes), 0) FROM stf_files WHERE execution_id = $id) WHERE execution_id = $id`,
    `UPDATE observed_runs SET results_repeated = (SELECT count(*) FROM message_subjects AS s JOIN message_rows USING (seq)
       WHERE execution_id = $id AND stands_seq IS NOT NULL AND type_no = ${numberOf(`'slice_result'`)}),
       (last_result_ms, last_done_ms) = ${lastOfSlices('$id')} WHERE execution_id = $id`,
  ])
    sql(update).run({ id });
}
