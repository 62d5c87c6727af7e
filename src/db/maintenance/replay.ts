import type { Effect, EffectCode } from '../../domain/effects.ts';
import { wordsOf } from '../../lib/words.ts';
import { decodeMessage } from '../../messages/codec.ts';
import { cameOverBroker, type LogRow } from '../log/rows.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { recordHeard } from '../observed/heard-messages.ts';
import { lineOf } from '../observed/said.ts';
import { isSettled } from '../observed/settle.ts';
import type { Store } from '../opening/store.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** A log row with everything a replay needs. */
export interface HistoryRow {
  /** The row's number, if it is to be kept. */
  seq?: number;
  destination: string;
  body: string;
  sent_at: string;
  recorded_at: string;
  /** Whether it came over a broker. */
  from_broker?: true;
  /** For a message heard from other programs: the stored headers (JSON). */
  headers?: string;
  /** For a command: whether its driver applied it, which nothing else in the log shows. */
  applied?: boolean;
  /** Absent in histories older than codes. */
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

/** Rows to read at a time. */
const page = 1000;

/** A part of a log. */
interface LogPart {
  /** Rows after `after`, up to `last`. */
  after: number;
  last: number;
  /** Rows that were recorded later do not count. Milliseconds since 1970. */
  recordedBy: number;
  /** Executions whose rows do not count, except logbook entries. */
  except: readonly string[];
}

const wholeLog: LogPart = { after: 0, last: Number.MAX_SAFE_INTEGER, recordedBy: Number.MAX_SAFE_INTEGER, except: [] };

/** The log of a store, or a part of it, in order. */
export function* historyOf(sql: Prepare, part: LogPart = wholeLog): Generator<HistoryRow> {
  const some = sql<MessageRow>(
    `SELECT seq, destination, payload, sent_at, recorded_at, message_type, effect, effect_code, effect_reason, ${cameOverBroker} AS from_broker, headers
     FROM workflow_messages JOIN (SELECT seq, headers, execution_no, ${indexPredicates.logbook} AS is_logbook FROM message_rows) USING (seq)
     WHERE seq > ? AND seq <= ? AND recorded_ms <= ?
       AND (execution_no IS NULL OR is_logbook OR execution_no NOT IN (SELECT name_no FROM names JOIN json_each(?) ON name = value)) ORDER BY seq LIMIT ${page}`,
  );
  const except = JSON.stringify(part.except);
  for (let { after } = part; ;) {
    const rows = some.all(after, part.last, part.recordedBy, except);
    yield* rows.map(historyRow);
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.seq;
  }
}

const historyRow = (row: MessageRow): HistoryRow => ({
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

/** Messages to record per transaction. */
const together = 200;

/**
 * Replays a log, message by message, into a store that has none of it. Rows keep their numbers if the history
 * has them.
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
 * The columns that identify a row of a table, by its primary key, or, if that is a row number, by its unique
 * key: row numbers depend on what was pruned.
 */
export const keyColumns = (sql: Prepare, table: string) =>
  sql<string>(
    `SELECT name FROM pragma_index_info((SELECT name FROM pragma_index_list(?) WHERE origin IN ('pk', 'u') ORDER BY origin LIMIT 1)) ORDER BY seqno`,
  ).values(table);

/** Columns of these tables that are not computed from the log. */
export const unlogged: readonly (readonly [table: string, column: string])[] = [
  ['observed_runs', 'read_ms'],
  ['alarms', 'current_sentence'],
];

/** The same, and the numbers of rows. */
const ownColumns: ReadonlySet<string> = new Set(['seq', ...unlogged.map(([, column]) => column)]);

type Row = Record<string, string | number | null>;

/** Maximum number of differences to list one by one. */
const maxListed = 20;

/**
 * Replays a store's log into an empty store and compares the rows of both: which differ, which are missing,
 * which are not in the log. The store must not change meanwhile. Returns the first differences, one sentence
 * each, and how many there are.
 */
export async function replayDifferences(sql: Prepare, empty: Store): Promise<{ sentences: string[]; count: number }> {
  await replay(historyOf(sql), empty);
  const sentences: string[] = [];
  let count = 0;
  for (const table of projected)
    for (const sentence of differencesOf(table, sql, empty.sql)) {
      count += 1;
      if (count <= maxListed) sentences.push(sentence);
    }
  return { sentences, count };
}

/** Reads both tables side by side, in the order of their keys. */
function* differencesOf(table: string, recorded: Prepare, replayed: Prepare) {
  const key = keyColumns(replayed, table);
  const [left, right] = [rowsOf(recorded, table, key), rowsOf(replayed, table, key)];
  let [a, b] = [left.next(), right.next()];
  while (a.done !== true || b.done !== true) {
    const order = a.done === true ? 1 : b.done === true ? -1 : compare(a.value, b.value, key);
    const row = (order > 0 ? b.value : a.value) as Row;
    const named = `${table} ${key.map((column) => row[column]).join(' ')}`;
    if (order < 0) yield `${named} is not in the log`;
    else if (order > 0) yield `${named} is missing`;
    else yield* changesOf(named, a.value as Row, b.value as Row);
    if (order <= 0) a = left.next();
    if (order >= 0) b = right.next();
  }
}

function* changesOf(named: string, recorded: Row, replayed: Row): Generator<string> {
  for (const [column, value] of Object.entries(recorded))
    if (!ownColumns.has(column) && !isSettled(recorded, column) && value !== replayed[column])
      yield `${named}: ${column} is ${shown(value)}, but the log gives ${shown(replayed[column] ?? null)}`;
}

const shown = (value: string | number | null) => (value === null ? 'empty' : String(value).slice(0, 80));

function compare(a: Row, b: Row, key: readonly string[]) {
  for (const column of key) {
    const [x, y] = [a[column] ?? '', b[column] ?? ''];
    if (x !== y) return x < y ? -1 : 1;
  }
  return 0;
}

/**
 * The rows of a table in the order of their keys. Keys are ASCII, which SQLite and JavaScript order alike.
 */
function* rowsOf(sql: Prepare, table: string, key: readonly string[]): Generator<Row> {
  const columns = key.join(', ');
  const values = key.map(() => '?').join(', ');
  const first = sql<Row>(`SELECT * FROM ${table} ORDER BY ${columns} LIMIT ${page}`);
  const further = sql<Row>(`SELECT * FROM ${table} WHERE (${columns}) > (${values}) ORDER BY ${columns} LIMIT ${page}`);
  for (let rows = first.all(); rows.length > 0;) {
    yield* rows;
    const last = rows.at(-1) as Row;
    rows = further.all(...key.map((column) => last[column] ?? null));
  }
}
