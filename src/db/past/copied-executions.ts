import { wordsOf } from '../../lib/words.ts';
import { waitsForDriver } from '../log/commands.ts';
import { effectColumns } from '../log/rows.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { numberOf } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Moment } from './moment.ts';

/** Tables with rows of an execution that follow from the log. */
const ofExecution = wordsOf(`
  workflow_executions runs run_states stage_delays stf_files fastmon_files tf_slices earlier_attempts followed_starts payload_results returned_slices
  late_messages observed_runs observed_samples observed_keys message_subjects
`);

/** Columns that every store numbers for itself. */
const drawn: ReadonlySet<string> = new Set(['late_seq']);

/** Every table whose rows are copied with an execution. */
export const copiedTables: readonly string[] = [...ofExecution, 'message_rows'];

/** Tables whose rows are numbered in order of arrival, with the columns that identify a row. */
const numbered: Readonly<Record<string, readonly string[]>> = {
  workflow_executions: ['execution_id'],
  stf_files: ['stf_filename', 'execution_id'],
  fastmon_files: ['tf_filename', 'execution_id'],
  tf_slices: ['slice_filename', 'execution_id'],
};

/** Log rows that are new in the past: rows after `after`. */
export interface NewRows extends Moment {
  after: number;
}

/** As SQL: all but logbook entries, which may come long after an execution and are always read again. */
const ofRun = indexPredicates.exceptLogbook;

/** The executions whose whole log is among the new rows: they were then as they are now, and need no replay. */
export const unchangedSince = (sql: Prepare, { after, last, recordedBy }: NewRows): string[] =>
  sql<[object], string>(
    `SELECT execution_id FROM live.workflow_executions JOIN live.names ON name = execution_id
     WHERE (SELECT min(seq) FROM live.message_rows WHERE execution_no = name_no) > $after
       AND (SELECT seq FROM live.message_rows WHERE execution_no = name_no AND ${ofRun} ORDER BY seq DESC LIMIT 1) <= $last
       AND ($recordedBy = ${Number.MAX_SAFE_INTEGER} OR NOT EXISTS (SELECT 1 FROM live.message_rows WHERE execution_no = name_no AND ${ofRun} AND recorded_ms > $recordedBy))`,
  ).values({ after, last, recordedBy });

/** Copies everything that follows from the log of an execution, with its log rows. */
export function copyExecution(sql: Prepare, executionId: string): void {
  const ofLog = `execution_no = ${numberOf('?')}`;
  for (const table of ofExecution) sql(insertFrom(sql, table, 'execution_id = ?')).run(executionId);
  sql(insertFrom(sql, 'message_rows', `${ofLog} AND ${ofRun}`)).run(executionId);
  // Whether it had gone quiet depends on the moment, and is settled for that.
  sql(
    `UPDATE workflow_executions SET status = 'running', status_reason = NULL, end_time = NULL
     WHERE execution_id = ? AND status = 'completed'
       AND execution_id IN (SELECT execution_id FROM observed_runs WHERE told_status IS NULL)`,
  ).run(executionId);
}

/** As SQL: copies rows of a table of the store as they are. */
function insertFrom(sql: Prepare, table: string, where: string): string {
  const columns = sql<[string], string>('SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0')
    .values(table)
    .filter((name) => !drawn.has(name))
    .join(', ');
  return `INSERT INTO ${table} (${columns}) SELECT ${columns} FROM live.${table} WHERE ${where}`;
}

/** Gives commands the effect they had at a moment: none if they still waited for their driver. @param iso the time of the clock */
export function commandsAsThen(sql: Prepare, { last, iso }: { last: number; iso: string }): void {
  const noted = `SELECT seq FROM live.past_commands WHERE (after_seq, iif(after_seq = $last, noted_at, '')) <= ($last, $iso)`;
  sql(
    `UPDATE message_rows SET (effect, effect_code, effect_reason) = (
       SELECT l.effect, l.effect_code, l.effect_reason FROM live.message_rows AS l WHERE l.seq = message_rows.seq)
     WHERE seq IN (${noted})`,
  ).run({ last, iso });
  const { effect_code, effect_reason } = effectColumns(waitsForDriver);
  sql(
    `UPDATE message_rows SET effect = 'none', effect_code = $effect_code, effect_reason = $effect_reason
     WHERE seq IN (SELECT seq FROM live.past_commands) AND seq NOT IN (${noted})`,
  ).run({ last, iso, effect_code, effect_reason });
}

/** Numbers replayed rows after all rows of the store. Returns the last number of each table. */
export const numberBehind = (sql: Prepare): ReadonlyMap<string, number> =>
  new Map(
    Object.keys(numbered).map((table) => {
      const last = sql<[string], number>('SELECT seq FROM live.sqlite_sequence WHERE name = ?').value(table) ?? 0;
      sql('DELETE FROM sqlite_sequence WHERE name = ?').run(table);
      sql('INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)').run(table, last);
      return [table, last];
    }),
  );

/** Gives replayed rows the numbers that they have in the store, which order the lists. @param behind as returned by `numberBehind` */
export function numberAsRecorded(sql: Prepare, behind: ReadonlyMap<string, number>): void {
  for (const [table, key] of Object.entries(numbered)) {
    const same = key.map((column) => `l.${column} = ${table}.${column}`).join(' AND ');
    sql(
      `UPDATE ${table} SET seq = coalesce((SELECT seq FROM live.${table} AS l WHERE ${same}), seq) WHERE seq > ?`,
    ).run(behind.get(table) ?? 0);
  }
}
