import type { Prepare } from './statements.ts';

/** Rows of one block of `time_blocks`. */
const rowsOfBlock = 1024;

/** Keys of rows, both ends included. */
export interface KeyRange {
  from: number;
  to: number;
}

export const anyKey: KeyRange = { from: 0, to: Number.MAX_SAFE_INTEGER };

/** Where the times of a table's rows are noted. */
export interface TimedTable {
  table: string;
  key: string;
  time: string;
}

/** The key of the last row that belongs to a block; rows after it are of none yet. */
export function lastNoted(sql: Prepare, table: string): number {
  const row = sql<[string], { block: number | null }>(
    'SELECT max(block) AS block FROM time_blocks WHERE table_name = ?',
  ).get(table);
  return ((row?.block ?? -1) + 1) * rowsOfBlock;
}

/**
 * The keys between which all rows of a time window are. Rows are recorded about when they are said, so few others are between
 * them: late ones, and those of clocks that differ.
 */
export function keysWithin(
  sql: Prepare,
  { table, key, time }: TimedTable,
  { start_time, end_time }: { start_time?: string | undefined; end_time?: string | undefined },
): KeyRange {
  const noted = lastNoted(sql, table);
  const range = { ...anyKey };
  if (start_time !== undefined) {
    const first = sql<[string, string], { block: number }>(
      'SELECT block FROM time_blocks WHERE table_name = ? AND latest >= ? ORDER BY block LIMIT 1',
    ).get(table, start_time);
    range.from = (first === undefined ? noted : first.block * rowsOfBlock) + 1;
  }
  if (end_time !== undefined) {
    const isLater = sql<[number, string], { n: number }>(
      `SELECT 1 AS n FROM ${table} WHERE ${key} > ? AND ${time} <= ? LIMIT 1`,
    ).get(noted, end_time);
    const last = sql<[string, string], { block: number }>(
      'SELECT block FROM time_blocks WHERE table_name = ? AND earliest <= ? ORDER BY block DESC LIMIT 1',
    ).get(table, end_time);
    if (isLater === undefined) range.to = last === undefined ? 0 : (last.block + 1) * rowsOfBlock;
  }
  return range;
}
