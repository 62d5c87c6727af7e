import { metaOf } from '../log/store-identity.ts';
import { lastNoted } from '../notes/row-blocks.ts';
import { type KeyRange, partsWithin, type SearchedTable } from '../notes/word-parts.ts';
import { Database } from '../sqlite/connection.ts';
import { type Prepare, preparer } from '../sqlite/statements.ts';
import { type CandidateRange, directionOf, type Page } from './list-query.ts';

/**
 * Finds rows by words in their texts.
 * @param words `text`: whole words in sequence, ignoring case and punctuation; if it ends with `*`, the last
 * word is a prefix. `and`: a condition on another column, in FTS5 syntax.
 * @returns keys in the order of the page, at most `limit`
 */
export type WordSearch = (
  searched: SearchedTable,
  words: { text: string; and?: string | undefined },
  part: CandidateRange,
) => number[];

/**
 * Numbers are bound as REAL. FTS5 does not use a REAL to limit a range: it would scan all rows outside the
 * range.
 */
const integer = 'CAST(? AS INTEGER)';

/** Quotes words as an FTS5 phrase, which has no operators. */
function phraseOf(words: string) {
  const text = words.replaceAll(/["\p{Cc}]/gu, ' ').trimEnd();
  return text.endsWith('*') ? `"${text.slice(0, -1)}" *` : `"${text}"`;
}

/**
 * Searches by words. The store indexes words by blocks of rows. Rows after the last block are indexed in
 * memory when a search needs them, with the same tokenizer, so that a text is found in the same way before
 * and after the store indexes it.
 */
export function createWordSearch(sql: Prepare): WordSearch {
  const newest = new Map<string, ReturnType<typeof newestWords>>();
  return (searched, { text, and }, { from, to, order, limit, of }) => {
    const phrase = `text : ${phraseOf(text)}${and === undefined ? '' : ` AND ${and}`}`;
    const noted = lastNoted(sql, searched.table);
    const tail = newest.get(searched.table) ?? newestWords(sql, searched);
    newest.set(searched.table, tail);
    const find = (prepare: Prepare, table: string, range: KeyRange, most: number) =>
      findKeys(prepare, table, { phrase, order, ...range }, most);
    if (of !== undefined) return find(tail.ofRows(of), 'some', { from, to }, limit);
    const inTail = (most: number) =>
      to <= noted ? [] : find(tail.upToDate(noted), 'tail', { from: Math.max(from, noted + 1), to }, most);
    const inBlocks = (most: number) =>
      findInParts(sql, searched, { phrase, order, from, to: Math.min(to, noted) }, most);
    const [nearer, farther] = order === 'newest' ? [inTail, inBlocks] : [inBlocks, inTail];
    const keys = nearer(limit);
    return [...keys, ...farther(limit - keys.length)];
  };
}

type Wanted = KeyRange & { phrase: string; order: Page['order'] };

/** Words of removed rows may remain, so if any row was ever removed, look up each row. */
function findInParts(sql: Prepare, searched: SearchedTable, wanted: Wanted, most: number) {
  const { table, key } = searched;
  const keys: number[] = [];
  const hasLost = metaOf(sql, 'prunes') !== undefined;
  for (const { words, ...range } of partsWithin(sql, searched, wanted, wanted.order)) {
    if (keys.length >= most) break;
    const isThere = hasLost ? `EXISTS (SELECT 1 FROM ${table} WHERE ${key} = ${words}.rowid)` : 'TRUE';
    keys.push(...findKeys(sql, words, { ...wanted, ...range }, most - keys.length, isThere));
  }
  return keys;
}

function findKeys(prepare: Prepare, table: string, { phrase, order, from, to }: Wanted, most: number, also = 'TRUE') {
  if (from > to || most <= 0) return [];
  return prepare<number>(
    `SELECT rowid AS key FROM ${table} WHERE ${table} MATCH ? AND rowid >= ${integer} AND rowid <= ${integer} AND ${also} ORDER BY rowid ${directionOf({ order })} LIMIT ?`,
  ).values(phrase, from, to, most);
}

/**
 * The words of rows that are searched in memory: rows after the last noted block (usually less than one
 * block), and small sets of candidates.
 */
function newestWords(sql: Prepare, { texts, key, columns }: SearchedTable) {
  const memory = preparer(new Database(':memory:'));
  const names = columns.join(', ');
  for (const table of ['tail', 'some'])
    memory(`CREATE VIRTUAL TABLE ${table} USING fts5(${names}, content = '', contentless_delete = 1)`).run();
  let after = 0;
  let newest = 0;
  let knownPrunes: string | undefined;
  /**
   * Adds the words of some rows.
   * @returns the last row's key
   */
  function fill(table: string, which: string, value: string | number) {
    const rows = sql<{ key: number }>(`SELECT ${key} AS key, ${names} FROM ${texts} WHERE ${which}`).all(value);
    const insert = memory(`INSERT INTO ${table} (rowid, ${names}) VALUES (?${', ?'.repeat(columns.length)})`);
    memory('BEGIN').run();
    for (const row of rows) insert.run(...Object.values(row));
    memory('COMMIT').run();
    return rows.at(-1)?.key;
  }
  return {
    /** Returns the table `tail` with the words of all rows after the last noted block. */
    upToDate(noted: number): Prepare {
      const prunes = metaOf(sql, 'prunes');
      if (noted !== after || prunes !== knownPrunes) {
        memory('DELETE FROM tail').run();
        newest = noted;
      }
      after = noted;
      knownPrunes = prunes;
      newest = fill('tail', `${key} > ? ORDER BY ${key}`, newest) ?? newest;
      return memory;
    },
    /** Returns the table `some` with the words of only these rows. */
    ofRows(keys: readonly number[]): Prepare {
      memory('DELETE FROM some').run();
      fill('some', `${key} IN (SELECT value FROM json_each(?))`, JSON.stringify(keys));
      return memory;
    },
  };
}
