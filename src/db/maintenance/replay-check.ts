import { wordsOf } from '../../lib/words.ts';
import type { Store } from '../opening/store.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { historyOf, replay } from './replay.ts';

/** Tables that are computed from the log. */
const projected = wordsOf(`
  workflow_executions runs run_states stf_files fastmon_files tf_slices earlier_attempts followed_starts payload_results
  observed_runs observed_samples observed_keys notes run_quality alarms stage_delays
`);

/** The columns that identify a row of a table, by its primary key, or where that is a row number by its unique one: row numbers depend on what was pruned. */
export const keyColumns = (sql: Prepare, table: string) =>
  sql<string>(
    `SELECT name FROM pragma_index_info((SELECT name FROM pragma_index_list(?) WHERE origin IN ('pk', 'u') ORDER BY origin LIMIT 1)) ORDER BY seqno`,
  ).values(table);

/** Columns that are not computed from the log. */
const ownColumns: ReadonlySet<string> = new Set(['seq', 'read_ms', 'current_sentence']);

/** Columns of observed executions that also depend on when an observer listened. */
const heardColumns: ReadonlySet<string> = new Set(['status', 'status_reason', 'end_time']);

type Row = Record<string, string | number | null>;

/** Maximum number of differences to list one by one. */
const maxListed = 20;

/**
 * Replays a store's log into an empty store and compares the rows of both: which differ, which are missing, which are not in the log. The store must
 * not change meanwhile. Returns the first differences, a sentence each, and how many there are.
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
    if (
      !ownColumns.has(column) &&
      !(recorded['origin'] === 'observed' && heardColumns.has(column)) &&
      value !== replayed[column]
    )
      yield `${named}: ${column} is ${shown(value)}, and the log gives ${shown(replayed[column] ?? null)}`;
}

const shown = (value: string | number | null): string => (value === null ? 'empty' : String(value).slice(0, 80));

function compare(a: Row, b: Row, key: readonly string[]): number {
  for (const column of key) {
    const [x, y] = [a[column] ?? '', b[column] ?? ''];
    if (x !== y) return x < y ? -1 : 1;
  }
  return 0;
}

/** Rows to read at a time. */
const page = 1000;

/** The rows of a table in the order of their keys. Keys are ASCII, which SQLite and JavaScript order alike. */
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
