import { shownPayload } from '../lists/messages.ts';
import { levelName } from '../migrations/documented-views.ts';
import { currentAttempt } from '../migrations/lost-starts.ts';
import { messageColumns } from '../migrations/message-columns.ts';
import { numberOf } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** The type of the values in a column. Times are ISO 8601 in UTC. */
export type ExportedKind = 'text' | 'integer' | 'real' | 'time';

/** An exported table: all rows of one execution, in the order of recording. */
export interface ExportedTable {
  /** The name of the table's file. */
  name: string;
  columns: Readonly<Record<string, ExportedKind>>;
  /**
   * As SQL: the rows of an execution between two keys, each with its key as `key`. Parameters: $id, $after
   * and $upTo.
   */
  rows: string;
  /** As SQL: the last key in a batch of $limit keys after $after. */
  lastKey: string;
}

export type ExportedRow = Readonly<Record<string, string | number | null>>;

/** The approximate number of rows in memory at a time. */
const batch = 2000;

const integers: ReadonlySet<string> = new Set(
  (
    'slice_id run_number tf_first tf_last tf_count attempt sequence size_bytes tf_file_count slice_count ' +
    'starts exit_code log_id for_next count seq'
  ).split(' '),
);

/** The type of the values in a column. Columns with the same name have the same type in every table. */
const kindOf = (name: string): ExportedKind => {
  if (integers.has(name)) return 'integer';
  if (name === 'processing_seconds') return 'real';
  return name === 'timestamp' || /(?:^|_)at$/.test(name) ? 'time' : 'text';
};

/** @param names the names of columns, in order */
const columnsOf = (names: string) => Object.fromEntries(names.split(' ').map((name) => [name, kindOf(name)]));

/** A table that is exported unchanged. @param names the names of its columns */
function plain(
  name: string,
  names: string,
  {
    table = name,
    key = 'seq',
    isOf = 'execution_id = $id',
    shown = {},
  }: { table?: string; key?: string; isOf?: string; shown?: Record<string, string> } = {},
): ExportedTable {
  const ofExecution = `FROM ${table} WHERE ${isOf} AND ${key} > $after`;
  const selected = names.split(' ').map((column) => (column in shown ? `${shown[column]} AS ${column}` : column));
  return {
    name,
    columns: columnsOf(names),
    rows: `SELECT ${key} AS key, ${selected.join(', ')} ${ofExecution} AND ${key} <= $upTo ORDER BY ${key}`,
    lastKey: `SELECT max(key) AS key FROM (SELECT ${key} AS key ${ofExecution} ORDER BY ${key} LIMIT ($limit + 0))`,
  };
}

const slices = plain(
  'slices',
  'slice_filename slice_id tf_filename stf_filename run_number execution_id tf_first tf_last tf_count status ' +
    'attempt assigned_worker created_at assigned_at completed_at processing_seconds error',
  { table: 'tf_slices' },
);

const attemptNames =
  'slice_filename attempt execution_id state worker_id hostname starts queued_at started_at completed_at ' +
  'processing_seconds error';

/** Facts about the payload commands of attempts. */
const payloadNames = 'exit_code signal output_tail outputs';

const selected = (names: string, prefix = '') =>
  names
    .split(' ')
    .map((name) => `${prefix}${name}`)
    .join(', ');

/** All attempts at slices, earlier attempts first, with the results of their payload commands. */
const attempts: ExportedTable = {
  name: 'attempts',
  columns: columnsOf(`${attemptNames} ${payloadNames}`),
  rows: `SELECT key, ${selected(attemptNames)}, ${selected(payloadNames)} FROM (
      SELECT s.seq AS key, ${selected(attemptNames, 'a.')}
      FROM tf_slices AS s CROSS JOIN earlier_attempts AS a USING (slice_filename, execution_id)
      WHERE s.execution_id = $id AND s.seq > $after AND s.seq <= $upTo
      UNION ALL SELECT seq, ${selected(attemptNames)} FROM (
        SELECT seq, ${currentAttempt} FROM tf_slices WHERE execution_id = $id AND seq > $after AND seq <= $upTo)) AS a
    LEFT JOIN (SELECT slice_filename, execution_id, attempt, ${selected(payloadNames)} FROM payload_results) USING (slice_filename, execution_id, attempt)
    ORDER BY key, attempt`,
  lastKey: slices.lastKey,
};

/** The tables of an export. To export another table, add it here. */
export const exportedTables: readonly ExportedTable[] = [
  slices,
  attempts,
  plain(
    'stf_files',
    'stf_filename run_number execution_id sequence status checksum size_bytes tf_count tf_file_count ' +
      'slice_count file_url created_at processed_at',
  ),
  plain(
    'tf_files',
    'tf_filename stf_filename run_number execution_id tf_first tf_last tf_count size_bytes slice_count ' +
      'file_url created_at',
    { table: 'fastmon_files' },
  ),
  plain(
    'messages',
    'seq message_id message_type sender_agent namespace execution_id run_id destination sent_at recorded_at ' +
      'simulation_tick effect effect_code effect_reason payload',
    {
      table: 'message_rows',
      isOf: `execution_no = ${numberOf('$id')}`,
      shown: { ...messageColumns, payload: shownPayload },
    },
  ),
  plain('logs', 'log_id timestamp level agent message execution_id run_id context', {
    table: 'app_logs',
    key: 'log_id',
    shown: { level: levelName('level') },
  }),
  plain('notes', 'message_id execution_id text author sent_by at about for_next written_at'),
  plain(
    'alarms',
    'alarm_id execution_id code subject severity state sentence count raised_at seen_by seen_sent_by seen_at ' +
      'seen_text cleared_at',
  ),
  // At most one row.
  plain('quality', 'execution_id value reason author sent_by set_at', { table: 'run_quality', key: '1' }),
];

/**
 * The rows of a table, a few thousand in memory at a time. Read them in one snapshot; otherwise rows that
 * change in the meantime are returned in their new state.
 */
export function* exportedRows(sql: Prepare, table: ExportedTable, id: string): Generator<ExportedRow> {
  for (let after = 0; ;) {
    const values = { id, after, limit: batch };
    const upTo = sql<number | null>(table.lastKey).value(values);
    if (upTo === undefined || upTo === null) return;
    yield* sql<ExportedRow>(table.rows).all({ id, after, upTo });
    after = upTo;
  }
}
