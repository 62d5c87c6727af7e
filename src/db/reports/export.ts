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

const sliceColumns = {
  slice_filename: 'text',
  slice_id: 'integer',
  tf_filename: 'text',
  stf_filename: 'text',
  run_number: 'integer',
  execution_id: 'text',
  tf_first: 'integer',
  tf_last: 'integer',
  tf_count: 'integer',
  status: 'text',
  attempt: 'integer',
  assigned_worker: 'text',
  created_at: 'time',
  assigned_at: 'time',
  completed_at: 'time',
  processing_seconds: 'real',
  error: 'text',
} as const;

const stfColumns = {
  stf_filename: 'text',
  run_number: 'integer',
  execution_id: 'text',
  sequence: 'integer',
  status: 'text',
  checksum: 'text',
  size_bytes: 'integer',
  tf_count: 'integer',
  tf_file_count: 'integer',
  slice_count: 'integer',
  file_url: 'text',
  created_at: 'time',
  processed_at: 'time',
} as const;

const tfColumns = {
  tf_filename: 'text',
  stf_filename: 'text',
  run_number: 'integer',
  execution_id: 'text',
  tf_first: 'integer',
  tf_last: 'integer',
  tf_count: 'integer',
  size_bytes: 'integer',
  slice_count: 'integer',
  file_url: 'text',
  created_at: 'time',
} as const;

const attemptColumns = {
  slice_filename: 'text',
  attempt: 'integer',
  execution_id: 'text',
  state: 'text',
  worker_id: 'text',
  hostname: 'text',
  starts: 'integer',
  queued_at: 'time',
  started_at: 'time',
  completed_at: 'time',
  processing_seconds: 'real',
  error: 'text',
} as const;

/** Facts about the payload commands of attempts. */
const payloadColumns = { exit_code: 'integer', signal: 'text', output_tail: 'text', outputs: 'text' } as const;

const logColumns = {
  log_id: 'integer',
  timestamp: 'time',
  level: 'text',
  agent: 'text',
  message: 'text',
  execution_id: 'text',
  run_id: 'text',
  context: 'text',
} as const;

const noteColumns = {
  message_id: 'text',
  execution_id: 'text',
  text: 'text',
  author: 'text',
  sent_by: 'text',
  at: 'time',
  about: 'text',
  for_next: 'integer',
  written_at: 'time',
} as const;

const alarmColumns = {
  alarm_id: 'text',
  execution_id: 'text',
  code: 'text',
  subject: 'text',
  severity: 'text',
  state: 'text',
  sentence: 'text',
  count: 'integer',
  raised_at: 'time',
  seen_by: 'text',
  seen_sent_by: 'text',
  seen_at: 'time',
  seen_text: 'text',
  cleared_at: 'time',
} as const;

const messageNames = {
  seq: 'integer',
  message_id: 'text',
  message_type: 'text',
  sender_agent: 'text',
  namespace: 'text',
  execution_id: 'text',
  run_id: 'text',
  destination: 'text',
  sent_at: 'time',
  recorded_at: 'time',
  simulation_tick: 'text',
  effect: 'text',
  effect_code: 'text',
  effect_reason: 'text',
  payload: 'text',
} as const;

/** A table that is exported as is. */
function plain(
  name: string,
  columns: Readonly<Record<string, ExportedKind>>,
  { table = name, key = 'seq', shown = {} }: { table?: string; key?: string; shown?: Record<string, string> } = {},
): ExportedTable {
  const ofExecution = `FROM ${table} WHERE execution_id = $id AND ${key} > $after`;
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

const messagesOfExecution = `FROM message_rows WHERE execution_no = ${numberOf('$id')} AND seq > $after`;

const messages: ExportedTable = {
  name: 'messages',
  columns: messageNames,
  rows: `SELECT seq AS key, ${Object.keys(messageNames)
    .map((name) =>
      name === 'payload'
        ? `${shownPayload} AS payload`
        : name in messageColumns
          ? `${messageColumns[name as keyof typeof messageColumns]} AS ${name}`
          : name,
    )
    .join(', ')} ${messagesOfExecution} AND seq <= $upTo ORDER BY seq`,
  lastKey: `SELECT max(key) AS key FROM (SELECT seq AS key ${messagesOfExecution} ORDER BY seq LIMIT ($limit + 0))`,
};

/** The quality of the run, one row at most. */
const quality: ExportedTable = {
  name: 'quality',
  columns: { execution_id: 'text', value: 'text', reason: 'text', author: 'text', sent_by: 'text', set_at: 'time' },
  rows: 'SELECT 1 AS key, execution_id, value, reason, author, sent_by, set_at FROM run_quality WHERE execution_id = $id AND $after < 1 AND $upTo >= 1',
  lastKey: 'SELECT max(1) AS key FROM run_quality WHERE execution_id = $id AND $after < 1 AND $limit > 0',
};

/** The tables of an export. To export another table, add it here. */
export const exportedTables: readonly ExportedTable[] = [
  slices,
  attempts,
  plain('stf_files', stfColumns),
  plain('tf_files', tfColumns, { table: 'fastmon_files' }),
  messages,
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
