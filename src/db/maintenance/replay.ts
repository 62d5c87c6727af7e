import type { Effect, EffectCode } from '../../domain/effects.ts';
import { wordsOf } from '../../lib/words.ts';
import { decodeMessage } from '../../messages/codec.ts';
import { cameOverBroker, type LogRow } from '../log/rows.ts';
import { recordHeard } from '../observed/heard-messages.ts';
import { lineOf } from '../observed/said.ts';
import { isSettled } from '../observed/settle.ts';
import type { Store } from '../opening/store.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** A log row with everything that a replay needs. */
export interface HistoryRow {
  /** The row's number, if the replay is to keep it. */
  seq?: number;
  destination: string;
  body: string;
  sent_at: string;
  recorded_at: string;
  /** Whether the row came over a broker. */
  from_broker?: true;
  /** For a message received from other programs: the headers as stored (JSON). */
  headers?: string;
  /** For a command: whether its driver applied it, which nothing else in the log shows. */
  applied?: boolean;
  /** Absent in histories that are older than effect codes. */
  code?: EffectCode;
  reason?: string;
}

const commands: ReadonlySet<string> = new Set(['stop_workflow', 'pause_workflow', 'resume_workflow']);

interface MessageRow extends Omit<LogRow, 'message_id' | 'execution_id'> {
  sent_at: string;
  recorded_at: string;
  message_type: string;
  from_broker: 0 | 1 | null;
  headers: string | null;
}

const page = 1000;

/** A part of a log: the rows after `after` and up to `last`, except rows recorded later than `recordedBy`. */
export interface LogPart {
  after: number;
  last: number;
  /** Milliseconds since 1970. */
  recordedBy: number;
}

/**
 * As SQL: the first rows of a log that meet a condition.
 * @param of names the database with the log, as an SQL prefix
 */
const historyRows = (of: '' | 'live.', where: string, limit: number | string) =>
  `SELECT seq, destination, payload, sent_at, recorded_at, message_type, effect, effect_code, effect_reason, ${cameOverBroker} AS from_broker, headers
   FROM ${of}workflow_messages JOIN (SELECT seq, headers FROM ${of}message_rows) USING (seq) WHERE seq > $after AND ${where} ORDER BY seq LIMIT ${limit}`;

export function* historyOf(sql: Prepare): Generator<HistoryRow> {
  const some = sql<MessageRow>(historyRows('', 'TRUE', page));
  for (let after = 0; ;) {
    const rows = some.all({ after });
    yield* rows.map(historyRow);
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.seq;
  }
}

/**
 * From a part of the attached log `live`, the first rows that are missing from this store.
 * @param except as SQL: the numbers of other rows to skip
 */
export const nextRows = (sql: Prepare, part: LogPart & { limit: number }, except: string) =>
  sql<MessageRow>(
    historyRows(
      'live.',
      `seq <= $last AND recorded_ms <= $recordedBy AND seq NOT IN (SELECT seq FROM main.message_rows) AND seq NOT IN (${except})`,
      '($limit + 0)',
    ),
  )
    .all(part)
    .map(historyRow);

const historyRow = (row: MessageRow) => ({
  seq: row.seq,
  destination: row.destination,
  body: row.payload,
  sent_at: row.sent_at,
  recorded_at: row.recorded_at,
  ...(row.from_broker === 1 ? { from_broker: true as const } : {}),
  ...(row.headers === null ? {} : { headers: row.headers }),
  ...(row.headers === null && commands.has(row.message_type)
    ? { applied: row.effect === 'applied', code: row.effect_code ?? 'REFUSED', reason: row.effect_reason ?? '' }
    : {}),
});

/** Number of messages to record per transaction. */
export const together = 200;

/**
 * Replays a log, message by message, into a store that contains no part of the log. Rows keep their numbers if
 * the history includes the numbers.
 */
export async function replay(history: Iterable<HistoryRow>, store: Pick<Store, 'messages' | 'write'>) {
  let waiting: HistoryRow[] = [];
  const record = async () => {
    const rows = waiting;
    waiting = [];
    await store.write((tx) => {
      for (const { seq, destination, body, sent_at, recorded_at, from_broker = false, headers, ...given } of rows) {
        if (headers !== undefined) {
          recordHeard(tx, lineOf({ destination, body, headers, sent_at, recorded_at }), seq);
          continue;
        }
        const facts = { seq, isReplay: true, sentAt: sent_at, recordedAt: recorded_at, fromBroker: from_broker };
        const effect = given.applied === undefined ? {} : { effect: effectOf(given) };
        const received = { destination, body, decoded: decodeMessage(body) };
        store.messages.recordReceived(tx, received, { ...facts, ...effect });
      }
    });
  };
  for (const row of history) {
    waiting.push(row);
    if (waiting.length === together) await record();
  }
  await record();
}

function effectOf({ applied, code = 'REFUSED', reason = '' }: Pick<HistoryRow, 'applied' | 'code' | 'reason'>): Effect {
  return applied === true ? { effect: 'applied' } : { effect: 'none', code, reason };
}

/** Tables that are computed from the log. */
export const projected: readonly string[] = wordsOf(`
  workflow_executions runs run_states stf_files fastmon_files tf_slices earlier_attempts followed_starts payload_results
  observed_runs observed_samples observed_keys stf_sites handed_over notes run_quality alarms stage_delays
`);

/**
 * The columns that identify a row of a table: its primary key or, if that is a row number, its unique key,
 * since row numbers depend on what was pruned.
 */
export const keyColumns = (sql: Prepare, table: string) =>
  sql<string>(
    `SELECT name FROM pragma_index_info((SELECT name FROM pragma_index_list(?) WHERE origin IN ('pk', 'u') ORDER BY origin LIMIT 1)) ORDER BY seqno`,
  ).values(table);

/** Columns of projected tables that are not computed from the log. */
export const unlogged: readonly (readonly [table: string, column: string])[] = [
  ['observed_runs', 'read_ms'],
  ['alarms', 'current_sentence'],
];

/** The columns in `unlogged`, and the columns with row numbers. */
const ownColumns: ReadonlySet<string> = new Set(['seq', ...unlogged.map(([, column]) => column)]);

export const storedColumns = (sql: Prepare, table: string) =>
  sql<string>('SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0').values(table);

/** Maximum number of differences to list one by one. */
const maxListed = 20;

/**
 * Replays a store's log into an empty store and compares the rows of both to find rows that differ, that are
 * missing, or that do not follow from the log. The store must not change in the meantime. Returns the first
 * differences, in one sentence each, and their total number.
 * @param sql the statements of a connection to the store; the other store stays attached to the connection
 */
export async function replayDifferences(sql: Prepare, empty: Store) {
  await replay(historyOf(sql), empty);
  sql('ATTACH DATABASE ? AS replayed').run(empty.path);
  const sentences: string[] = [];
  let count = 0;
  for (const table of projected) {
    const differences = differencesOf(sql, table);
    count += sql<number>(`SELECT count(*) FROM (${differences})`).value() ?? 0;
    sentences.push(...sql<string>(`${differences} LIMIT ?`).values(maxListed - sentences.length));
  }
  return { sentences, count };
}

/**
 * As SQL: the differences between the rows of a table and the rows that follow from the log, in one sentence
 * each.
 */
function differencesOf(sql: Prepare, table: string) {
  const key = keyColumns(sql, table);
  const columns = storedColumns(sql, table);
  const isSame = key.map((column) => `kept.${column} = log.${column}`).join(' AND ');
  const named = (prefix: string) => `'${table}' || ${key.map((column) => `' ' || ${prefix}${column}`).join(' || ')}`;
  const isLacking = (other: string) => `NOT EXISTS (SELECT 1 FROM ${other} WHERE ${isSame})`;
  const compared = columns.filter((column) => !ownColumns.has(column));
  const values = compared.map((column) => `kept.${column} AS kept_${column}, log.${column} AS log_${column}`);
  const differ = compared.map((column) => `kept.${column} IS NOT log.${column}`);
  const changes = compared.map((column) => {
    const [kept, log] = [`kept_${column}`, `log_${column}`];
    return `SELECT ${named('kept_')} || ': ${column} is ' || ${shown(kept)} || ', but the log gives ' || ${shown(log)}
      FROM changed WHERE ${kept} IS NOT ${log} AND NOT ${isSettled(table, column, 'kept_origin')}`;
  });
  return `WITH changed AS MATERIALIZED (
      SELECT ${values.join(', ')} FROM main.${table} AS kept JOIN replayed.${table} AS log ON ${isSame} WHERE ${differ.join(' OR ')})
    SELECT ${named('kept.')} || ' is not in the log' AS difference FROM main.${table} AS kept WHERE ${isLacking(`replayed.${table} AS log`)}
    UNION ALL SELECT ${named('log.')} || ' is missing' FROM replayed.${table} AS log WHERE ${isLacking(`main.${table} AS kept`)}
    UNION ALL ${changes.join(' UNION ALL ')}`;
}

const shown = (value: string) => `substr(coalesce(${value}, 'empty'), 1, 80)`;
