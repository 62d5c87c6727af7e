import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** A range of row keys, including both ends. */
export interface KeyRange {
  from: number;
  to: number;
}

/** Whether a page begins with the newest or with the oldest rows. */
export type Order = 'newest' | 'oldest';

export const anyKey: KeyRange = { from: 0, to: Number.MAX_SAFE_INTEGER };

/** A table with searchable texts: the prefix of its word tables, and the view with each row's texts. */
export interface SearchedTable {
  table: string;
  key: string;
  words: string;
  texts: string;
  columns: readonly string[];
}

export const messageWords: SearchedTable = {
  table: 'message_rows',
  key: 'seq',
  words: 'message_words',
  texts: 'message_texts',
  columns: ['text'],
};

export const logWords: SearchedTable = {
  table: 'app_logs',
  key: 'log_id',
  words: 'log_words',
  texts: 'log_texts',
  columns: ['text', 'level'],
};

export const searchedTables: readonly SearchedTable[] = [messageWords, logWords];

/**
 * Number of rows whose words share one FTS5 table of SQLite. Deleting the words of individual rows from a large
 * FTS5 table would block all writers for a second, so words of removed rows stay until none of the table's rows
 * is left; then the table is deleted.
 */
export const rowsOfPart = 2 ** 19;

const partOf = (key: number) => Math.floor((key - 1) / rowsOfPart);

export const partTable = ({ words }: SearchedTable, part: number) => `${words}_${part}`;

/** The statements that create the table of a part. Merging more segments at a time makes long merges rarer. */
export function partSchema(searched: SearchedTable, part: number) {
  const name = partTable(searched, part);
  return [
    `CREATE VIRTUAL TABLE ${name} USING fts5(${searched.columns.join(', ')}, content = '')`,
    `INSERT INTO ${name} (${name}, rank) VALUES ('automerge', 8)`,
  ];
}

/** The existing parts, in the order of their rows. */
export const partsOf = (sql: Prepare, { table }: SearchedTable) =>
  sql<number>('SELECT part FROM word_parts WHERE table_name = ? ORDER BY part').values(table);

/** Records the words of the rows after `after`, up to `last`. */
export function noteWords(sql: Prepare, searched: SearchedTable, after: number, last: number) {
  const { table, key, texts, columns } = searched;
  for (let part = partOf(after + 1); part <= partOf(last); part += 1) {
    const isNew = sql('INSERT OR IGNORE INTO word_parts (table_name, part) VALUES (?, ?)').run(table, part);
    if (isNew.changes === 1) for (const text of partSchema(searched, part)) sql(text).run();
    sql(
      `INSERT INTO ${partTable(searched, part)} (rowid, ${columns.join(', ')}) SELECT ${key}, ${columns.join(', ')} FROM ${texts}
       WHERE ${key} > ? AND ${key} <= ?`,
    ).run(Math.max(after, part * rowsOfPart), Math.min(last, (part + 1) * rowsOfPart));
  }
}

/**
 * The parts with rows in a range, in the order of the page: each part's table of words, and the keys of the
 * part's first and last row in the range. Words of removed rows before and after these rows are skipped.
 */
export function* partsWithin(sql: Prepare, searched: SearchedTable, { from, to }: KeyRange, order: Order) {
  const { table, key } = searched;
  const within = `FROM ${table} WHERE ${key} >= ? AND ${key} <= ?`;
  const ends = sql<{ first: number | null; last: number | null }>(
    `SELECT (SELECT min(${key}) ${within}) AS first, (SELECT max(${key}) ${within}) AS last`,
  );
  const parts = partsOf(sql, searched);
  for (const part of order === 'newest' ? parts.toReversed() : parts) {
    const range = [Math.max(from, part * rowsOfPart + 1), Math.min(to, (part + 1) * rowsOfPart)];
    const { first, last } = ends.get(...range, ...range) ?? {};
    if (typeof first === 'number' && typeof last === 'number')
      yield { words: partTable(searched, part), from: first, to: last };
  }
}

/** Complete parts with no rows left. @param noted the key of the last row whose words are noted */
export function emptyParts(sql: Prepare, searched: SearchedTable, noted: number) {
  const some = sql(`SELECT 1 FROM ${searched.table} WHERE ${searched.key} > ? AND ${searched.key} <= ? LIMIT 1`);
  return partsOf(sql, searched).filter((part) => {
    const end = (part + 1) * rowsOfPart;
    return end <= noted && !some.has(part * rowsOfPart, end);
  });
}

/** Removes a part with all of its words, unless another process has done so. */
export function dropPart({ sql }: Transaction, searched: SearchedTable, part: number) {
  const removed = sql('DELETE FROM word_parts WHERE table_name = ? AND part = ?').run(searched.table, part);
  if (removed.changes === 1) sql(`DROP TABLE ${partTable(searched, part)}`).run();
}
