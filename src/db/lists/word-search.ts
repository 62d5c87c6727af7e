import Database from 'better-sqlite3';

import { preparer, type Prepare } from '../sqlite/statements.ts';
import type { Among } from './page.ts';
import { lastNoted } from './row-blocks.ts';

/** A table whose texts can be searched: where its words are kept, and where the texts of single rows come from. */
export interface SearchedTable {
  table: string;
  words: string;
  texts: { from: string; key: string; columns: readonly string[] };
}

/**
 * Finds rows by words of their texts.
 * @param words `text` has whole words that follow each other, whatever their case and what stands between them; with `*` at the end the
 * last may go on; `and` is a condition on another column, in the language of FTS5
 * @returns keys in the order of the page, at most `limit`
 */
export type WordSearch = (
  searched: SearchedTable,
  words: { text: string; and?: string | undefined },
  part: Among,
) => number[];

/** A number comes as REAL, and of those FTS5 makes no bounds: it would walk past all rows outside of them. */
const integer = 'CAST(? AS INTEGER)';

/** Words as a phrase of FTS5, in which nothing is an operator. */
function phraseOf(words: string): string {
  const text = words.replaceAll(/["\p{Cc}]/gu, ' ').trimEnd();
  return text.endsWith('*') ? `"${text.slice(0, -1)}" *` : `"${text}"`;
}

/**
 * Words are indexed by blocks of rows. Those of the rows after the last block are indexed here, in memory, when somebody asks: by
 * the same tokenizer, so that a text is found alike before and after.
 */
export function createWordSearch(sql: Prepare): WordSearch {
  const tails = new Map<string, Tail>();
  return (searched, { text, and }, { from, to, order, limit, of }) => {
    const phrase = `text : ${phraseOf(text)}${and === undefined ? '' : ` AND ${and}`}`;
    const noted = lastNoted(sql, searched.table);
    let tail = tails.get(searched.table);
    if (tail === undefined) tails.set(searched.table, (tail = createTail(sql, searched)));
    const direction = order === 'newest' ? 'DESC' : 'ASC';
    const find = (prepare: Prepare, table: string, first: number, last: number, most: number): number[] =>
      first > last || most <= 0
        ? []
        : prepare<[string, number, number, number], { key: number }>(
            `SELECT rowid AS key FROM ${table} WHERE ${table} MATCH ? AND rowid >= ${integer} AND rowid <= ${integer} ORDER BY rowid ${direction} LIMIT ?`,
          )
            .all(phrase, first, last, most)
            .map(({ key }) => key);
    if (of !== undefined) return find(tail.ofRows(of), 'some', from, to, limit);
    const inTail = (most: number): number[] =>
      to <= noted ? [] : find(tail.upToDate(noted), 'tail', Math.max(from, noted + 1), to, most);
    const inBlocks = (most: number): number[] => find(sql, searched.words, from, Math.min(to, noted), most);
    const [nearer, farther] = order === 'newest' ? [inTail, inBlocks] : [inBlocks, inTail];
    const keys = nearer(limit);
    return [...keys, ...farther(limit - keys.length)];
  };
}

type Tail = ReturnType<typeof createTail>;

/** The words of rows that are not looked up in the store: those after the last block, at most 1,023, and where only few come into question. */
function createTail(sql: Prepare, { texts }: SearchedTable) {
  const memory = preparer(new Database(':memory:'));
  const { from, key, columns } = texts;
  memory(`CREATE VIRTUAL TABLE tail USING fts5(${columns.join(', ')}, content = '', contentless_delete = 1)`).run();
  const insert = memory(`INSERT INTO tail (rowid, ${columns.join(', ')}) VALUES (?${', ?'.repeat(columns.length)})`);
  memory(`CREATE VIRTUAL TABLE some USING fts5(${columns.join(', ')}, content = '', contentless_delete = 1)`).run();
  const insertSome = memory(
    `INSERT INTO some (rowid, ${columns.join(', ')}) VALUES (?${', ?'.repeat(columns.length)})`,
  );
  const fill = (into: typeof insert, rows: object[]): void => {
    memory('BEGIN').run();
    for (const row of rows) into.run(...Object.values(row));
    memory('COMMIT').run();
  };
  let after = 0;
  let newest = 0;
  let prunes: string | undefined;
  return {
    upToDate(noted: number): Prepare {
      const now = sql<[], { value: string }>(`SELECT value FROM store_meta WHERE key = 'prunes'`).get()?.value;
      if (noted !== after || now !== prunes) {
        memory('DELETE FROM tail').run();
        newest = noted;
      }
      [after, prunes] = [noted, now];
      const rows = sql<[number], { key: number }>(
        `SELECT ${key} AS key, ${columns.join(', ')} FROM ${from} WHERE ${key} > ? ORDER BY ${key}`,
      ).all(newest);
      fill(insert, rows);
      newest = rows.at(-1)?.key ?? newest;
      return memory;
    },
    /** The words of some rows and no others. */
    ofRows(keys: readonly number[]): Prepare {
      memory('DELETE FROM some').run();
      const rows = sql<[string], { key: number }>(
        `SELECT ${key} AS key, ${columns.join(', ')} FROM ${from} WHERE ${key} IN (SELECT value FROM json_each(?))`,
      ).all(JSON.stringify(keys));
      fill(insertSome, rows);
      return memory;
    },
  };
}
