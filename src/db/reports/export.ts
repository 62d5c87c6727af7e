import { shownPayload } from '../lists/messages.ts';
import { currentAttempt } from '../migrations/current-attempt.ts';
import { levelName } from '../migrations/documented-views.ts';
import { messageColumns } from '../migrations/message-columns.ts';
import { numberOf } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** The type of a column's values. Times are ISO 8601, UTC. */
export type ExportedKind = 'text' | 'integer' | 'real' | 'time';

/** An exported table: all rows of one execution in the order of recording. */
export interface ExportedTable {
  /** The name of its file. */
  name: string;
  columns: Readonly<Record<string, ExportedKind>>;
  /** As SQL: the rows of an execution between two keys, with the key of each as `key`. Values: $id, $after, $upTo. */
  rows: string;
  /** As SQL: the last key of a batch of $limit keys after $after. */
  lastKey: string;
}

export type ExportedRow = Readonly<Record<string, string | number | null>>;

/** About how many rows are held in memory at a time. */
const batch = 2000;

const integers: ReadonlySet<string> = new Set(
  (
    'slice_id run_number tf_first tf_last tf_count attempt sequence size_bytes tf_file_count slice_count ' +
    'starts exit_code log_id for_next count seq'
  ).split(' '),
);

/** The kind of a column's values: a name has the same kind in every table. */
const kindOf = (name: string): ExportedKind => {
  if (integers.has(name)) return 'integer';
  if (name === 'processing_seconds') return 'real';
  return name === 'timestamp' || /(?:^|_)at$/.test(name) ? 'time' : 'text';
};

type Columns = ExportedTable['columns'];

/** @param names of columns, in their order */
const columnsOf = (names: string): Columns => Object.fromEntries(names.split(' ').map((name) => [name, kindOf(name)]));

const sliceColumns = columnsOf(
  'slice_filename slice_id tf_filename stf_filename run_number execution_id tf_first tf_last tf_count status ' +
    'attempt assigned_worker created_at assigned_at completed_at processing_seconds error',
);

const stfColumns = columnsOf(
  'stf_filename run_number execution_id sequence status checksum size_bytes tf_count tf_file_count ' +
    'slice_count file_url created_at processed_at',
);

const tfColumns = columnsOf(
  'tf_filename stf_filename run_number execution_id tf_first tf_last tf_count size_bytes slice_count ' +
    'file_url created_at',
);

const attemptColumns = columnsOf(
  'slice_filename attempt execution_id state worker_id hostname starts queued_at started_at completed_at ' +
    'processing_seconds error',
);

/** Facts about the payload commands of attempts. */
const payloadColumns = columnsOf('exit_code signal output_tail outputs');

const logColumns = columnsOf('log_id timestamp level agent message execution_id run_id context');

const noteColumns = columnsOf('message_id execution_id text author sent_by at about for_next written_at');

const alarmColumns = columnsOf(
  'alarm_id execution_id code subject severity state sentence count raised_at seen_by seen_sent_by seen_at ' +
    'seen_text cleared_at',
);

const messageNames = columnsOf(
  'seq message_id message_type sender_agent namespace execution_id run_id destination sent_at recorded_at ' +
    'simulation_tick effect effect_code effect_reason payload',
);

/** A table that is exported as is. */
function plain(
  name: string,
  columns: Columns,
  {
    table = name,
    key = 'seq',
    isOf = 'execution_id = $id',
    shown = {},
  }: { table?: string; key?: string; isOf?: string; shown?: Record<string, string> } = {},
): ExportedTable {
  const ofExecution = `FROM ${table} WHERE ${isOf} AND ${key} > $after`;
  return {
    name,
    columns,
    rows: `SELECT ${key} AS key, ${Object.keys(columns)
      .map((column) => (shown[column] === undefined ? column : `${shown[column]} AS ${column}`))
      .join(', ')} ${ofExecution} AND ${key} <= $upTo ORDER BY ${key}`,
    lastKey: `SELECT max(key) AS key FROM (SELECT ${key} AS key ${ofExecution} ORDER BY ${key} LIMIT ($limit + 0))`,
  };
}

const slices = plain('slices', sliceColumns, { table: 'tf_slices' });

const attemptNames = Object.keys(attemptColumns).join(', ');

/** All attempts of slices, earlier ones first, with the results of their payload commands. */
const attempts: ExportedTable = {
  name: 'attempts',
  columns: { ...attemptColumns, ...payloadColumns },
  rows: `SELECT key, ${attemptNames}, ${Object.keys(payloadColumns).join(', ')} FROM (
      SELECT s.seq AS key, ${Object.keys(attemptColumns)
        .map((name) => `a.${name}`)
        .join(', ')}
      FROM tf_slices AS s CROSS JOIN earlier_attempts AS a USING (slice_filename, execution_id)
      WHERE s.execution_id = $id AND s.seq > $after AND s.seq <= $upTo
      UNION ALL SELECT seq, ${attemptNames} FROM (
        SELECT seq, ${currentAttempt} FROM tf_slices WHERE execution_id = $id AND seq > $after AND seq <= $upTo)) AS a
    LEFT JOIN (SELECT slice_filename, execution_id, attempt, ${Object.keys(payloadColumns).join(', ')} FROM payload_results) USING (slice_filename, execution_id, attempt)
    ORDER BY key, attempt`,
  lastKey: slices.lastKey,
};

/** The quality of the run, one row at most. */
const quality: ExportedTable = {
  name: 'quality',
  columns: columnsOf('execution_id value reason author sent_by set_at'),
  rows: 'SELECT 1 AS key, execution_id, value, reason, author, sent_by, set_at FROM run_quality WHERE execution_id = $id AND $after < 1 AND $upTo >= 1',
  lastKey: 'SELECT max(1) AS key FROM run_quality WHERE execution_id = $id AND $after < 1 AND $limit > 0',
};

/** The tables of an export. To export another table, add it here. */
export const exportedTables: readonly ExportedTable[] = [
  slices,
  attempts,
  plain('stf_files', stfColumns),
  plain('tf_files', tfColumns, { table: 'fastmon_files' }),
  plain('messages', messageNames, {
    table: 'message_rows',
    isOf: `execution_no = ${numberOf('$id')}`,
    shown: { ...messageColumns, payload: shownPayload },
  }),
  plain('logs', logColumns, { table: 'app_logs', key: 'log_id', shown: { level: levelName('level') } }),
  plain('notes', noteColumns),
  plain('alarms', alarmColumns),
  quality,
];

/** The rows of a table, a few thousand in memory at a time. Read them in one snapshot: otherwise rows that change meanwhile come in their new state. */
export function* exportedRows(sql: Prepare, table: ExportedTable, id: string): Generator<ExportedRow> {
  for (let after = 0; ;) {
    const values = { id, after, limit: batch };
    const upTo = sql<[object], { key: number | null }>(table.lastKey).get(values)?.key;
    if (upTo === undefined || upTo === null) return;
    yield* sql<[object], ExportedRow>(table.rows).all({ id, after, upTo });
    after = upTo;
  }
}
