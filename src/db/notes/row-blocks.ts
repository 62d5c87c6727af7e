import { isoTime } from '../migrations/message-columns.ts';
import { nameOf, numberOf } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import { anyKey, type KeyRange, noteWords, type Order, searchedTables } from './word-parts.ts';

export const rowsOfBlock = 512;

/** A table with notes about its blocks of rows. */
export interface TimedTable {
  table: string;
  key: string;
  /** As SQL: a row's time, and (`instant`) a time given as a parameter, in the same form. */
  time: string;
  instant?: string | undefined;
}

interface NotedTable extends Omit<TimedTable, 'time' | 'instant'> {
  /** As SQL: the earliest and latest time of some rows, as text. */
  times: readonly [earliest: string, latest: string];
  also: readonly string[];
}

const textTimes = (column: string) => [`min(${column})`, `max(${column})`] as const;

/** The notes about each table: times for all tables, and further notes for some. */
export const timedTables: readonly NotedTable[] = [
  {
    table: 'message_rows',
    key: 'seq',
    times: [isoTime('min(sent_ms)'), isoTime('max(sent_ms)')],
    also: [
      `INSERT INTO message_counts SELECT coalesce(${nameOf('execution_no')}, ''), ${nameOf('type_no')}, count(*) FROM message_rows
       WHERE seq > ? AND seq <= ? GROUP BY execution_no, type_no ON CONFLICT DO UPDATE SET n = n + excluded.n`,
      `INSERT INTO message_totals SELECT ${nameOf('type_no')}, count(*) FROM message_rows
       WHERE seq > ? AND seq <= ? GROUP BY type_no ON CONFLICT DO UPDATE SET n = n + excluded.n`,
      `INSERT INTO message_namespaces SELECT ${nameOf('namespace_no')}, (seq - 1) / ${rowsOfBlock} FROM message_rows
       WHERE seq > ? AND seq <= ? AND namespace_no IS NOT NULL GROUP BY namespace_no, 2`,
      `INSERT INTO recorded_blocks SELECT (seq - 1) / ${rowsOfBlock}, min(recorded_ms), max(recorded_ms) FROM message_rows
       WHERE seq > ? AND seq <= ? GROUP BY 1`,
    ],
  },
  { table: 'app_logs', key: 'log_id', times: textTimes('timestamp'), also: [] },
  { table: 'stf_files', key: 'seq', times: textTimes('created_at'), also: [] },
  { table: 'fastmon_files', key: 'seq', times: textTimes('created_at'), also: [] },
  { table: 'tf_slices', key: 'seq', times: textTimes('created_at'), also: [] },
];

/**
 * Writes notes (times, words and counts) about whole blocks of rows, soon after the blocks are full. If the
 * process is killed before that, the next process writes the notes. Checking the sequences once per transaction
 * costs less than a trigger on each row, and requires nothing of writers.
 */
export function rowBlockNoter(sql: Prepare) {
  const known = new Map<string, number>();
  let knownBlocks: number | undefined;
  const fullBlocks = () => sql<number>(`SELECT sum(seq / ${rowsOfBlock}) FROM sqlite_sequence`).value();
  /** The key of the last row in a full block, for each table. */
  const whole = () =>
    sql<{ name: string; last: number }>(
      `SELECT name, seq / ${rowsOfBlock} * ${rowsOfBlock} AS last FROM sqlite_sequence`,
    ).all();
  return {
    /**
     * Whether a block has become full since notes were last written. Call this at the end of a write
     * transaction.
     */
    isDue: () => fullBlocks() !== knownBlocks,
    /**
     * Writes the notes. Call this in a separate write transaction: noting words takes longer than most writes,
     * and in a shared transaction other writers would have to wait for both the write and the notes.
     */
    note() {
      for (const { name, last } of whole()) {
        const timed = timedTables.find(({ table }) => table === name);
        if (timed !== undefined && last !== known.get(name)) noteBlocks(sql, timed, last);
        known.set(name, last);
      }
      knownBlocks = fullBlocks();
    },
    /** Call this if the transaction with the notes was rolled back. */
    forget() {
      known.clear();
      knownBlocks = undefined;
    },
  };
}

function noteBlocks(sql: Prepare, { table, key, times, also }: NotedTable, last: number) {
  // Another process may have noted these blocks already.
  const noted = lastNoted(sql, table);
  if (noted >= last) return;
  for (const insert of also) sql(insert).run(noted, last);
  for (const searched of searchedTables) if (searched.table === table) noteWords(sql, searched, noted, last);
  sql(
    `INSERT INTO time_blocks SELECT '${table}', (${key} - 1) / ${rowsOfBlock}, ${times.join(', ')}, count(*) FROM ${table}
     WHERE ${key} > ? AND ${key} <= ? GROUP BY 2`,
  ).run(noted, last);
}

/** The key of the last row in a noted block. Later rows are not in a noted block yet. */
export function lastNoted(sql: Prepare, table: string) {
  const block = sql<number | null>('SELECT max(block) FROM time_blocks WHERE table_name = ?').value(table);
  return ((block ?? -1) + 1) * rowsOfBlock;
}

const blockOf = (key: number) => Math.floor((Math.max(1, key) - 1) / rowsOfBlock);

/**
 * Shortens a range of messages so that, read in the page's order, it begins near a namespace's first message.
 */
export function nearNamespace(sql: Prepare, namespace: string, { from, to }: KeyRange, order: Order): KeyRange {
  const noted = lastNoted(sql, 'message_rows');
  if (order === 'oldest') {
    const first = sql<number | null>(
      'SELECT min(block) FROM message_namespaces WHERE namespace = ? AND block >= ?',
    ).value(namespace, blockOf(from));
    return { from: Math.max(from, (first === null || first === undefined ? noted : first * rowsOfBlock) + 1), to };
  }
  const isNew = sql(
    `SELECT 1 FROM message_rows WHERE seq > ? AND seq <= ? AND namespace_no = ${numberOf('?')} LIMIT 1`,
  ).has(noted, to, namespace);
  if (isNew) return { from, to };
  const last = sql<number | null>('SELECT max(block) FROM message_namespaces WHERE namespace = ? AND block <= ?').value(
    namespace,
    blockOf(to),
  );
  return { from, to: Math.min(to, ((last ?? -1) + 1) * rowsOfBlock) };
}

/**
 * The range of keys that contains all rows of a time window. Rows are recorded at about their sending time,
 * so the range contains few other rows: late ones, and rows from hosts whose clocks differ.
 */
export function keysWithin(
  sql: Prepare,
  { table, key, time, instant = '?' }: TimedTable,
  { start_time, end_time }: { start_time?: string | undefined; end_time?: string | undefined },
): KeyRange {
  const noted = lastNoted(sql, table);
  const range = { ...anyKey };
  if (start_time !== undefined) {
    const first = sql<number>(
      'SELECT block FROM time_blocks WHERE table_name = ? AND latest >= ? ORDER BY block LIMIT 1',
    ).value(table, start_time);
    range.from = (first === undefined ? noted : first * rowsOfBlock) + 1;
  }
  if (end_time !== undefined) {
    const later = sql(`SELECT 1 FROM ${table} WHERE ${key} > ? AND ${time} <= ${instant} LIMIT 1`);
    const last = sql<number>(
      'SELECT block FROM time_blocks WHERE table_name = ? AND earliest <= ? ORDER BY block DESC LIMIT 1',
    ).value(table, end_time);
    if (!later.has(noted, end_time)) range.to = last === undefined ? 0 : (last + 1) * rowsOfBlock;
  }
  return range;
}

/** Records that the time of a row has become earlier. @param time ISO 8601 */
export function noteEarlier({ sql }: Transaction, table: string, key: number, time: string) {
  const earlier = 'UPDATE time_blocks SET earliest = min(earliest, ?) WHERE table_name = ? AND block = ?';
  sql(earlier).run(time, table, blockOf(key));
}

/** Records that a message is older than the note about its block says. @param at milliseconds since 1970 */
export function noteRecordedEarlier({ sql }: Transaction, seq: number, at: number) {
  sql('UPDATE recorded_blocks SET earliest_ms = min(earliest_ms, ?) WHERE block = ?').run(at, blockOf(seq));
}

/**
 * Moves a message from the counts for no execution to those for its execution. Call this once the message's row
 * names the execution.
 */
export function moveCounts({ sql }: Transaction, seq: number, executionId: string) {
  if (seq > lastNoted(sql, 'message_rows')) return;
  const row = sql<{ type: string; namespace: string | null }>(
    `SELECT ${nameOf('type_no')} AS type, ${nameOf('namespace_no')} AS namespace FROM message_rows WHERE seq = ?`,
  ).get(seq);
  if (row === undefined) return;
  sql(`UPDATE message_counts SET n = n - 1 WHERE execution_id = '' AND message_type = ?`).run(row.type);
  sql(`DELETE FROM message_counts WHERE execution_id = '' AND message_type = ? AND n = 0`).run(row.type);
  sql(
    'INSERT INTO message_counts (execution_id, message_type, n) VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET n = n + 1',
  ).run(executionId, row.type);
  if (row.namespace !== null)
    sql('INSERT OR IGNORE INTO message_namespaces (namespace, block) VALUES (?, ?)').run(row.namespace, blockOf(seq));
}

/** Subtracts rows that are about to be deleted from the counts. */
export function forgetCounts({ sql }: Transaction, table: string, keys: readonly number[]) {
  const blocks = new Map<number, number>();
  for (const key of keys) blocks.set(blockOf(key), (blocks.get(blockOf(key)) ?? 0) + 1);
  for (const [block, n] of blocks)
    sql('UPDATE time_blocks SET row_count = row_count - ? WHERE table_name = ? AND block = ?').run(n, table, block);
  if (table !== 'message_rows') return;
  const gone = sql<{ id: string; type: string; n: number }>(
    `SELECT coalesce(${nameOf('execution_no')}, '') AS id, ${nameOf('type_no')} AS type, count(*) AS n FROM message_rows
     WHERE seq IN (SELECT value FROM json_each(?)) AND seq <= ? GROUP BY execution_no, type_no`,
  ).all(JSON.stringify(keys), lastNoted(sql, table));
  for (const { id, type, n } of gone) {
    sql('UPDATE message_counts SET n = n - ? WHERE execution_id = ? AND message_type = ?').run(n, id, type);
    sql('DELETE FROM message_counts WHERE execution_id = ? AND message_type = ? AND n = 0').run(id, type);
    sql('UPDATE message_totals SET n = n - ? WHERE message_type = ?').run(n, type);
    sql('DELETE FROM message_totals WHERE message_type = ? AND n = 0').run(type);
  }
}
