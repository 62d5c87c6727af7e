import { messageColumns } from '../migrations/message-columns.ts';
import { schema } from '../migrations/schema.ts';
import { lastNoted, rowsOfBlock, timedTables } from '../notes/row-blocks.ts';
import { partSchema, partsOf, partTable, rowsOfPart, type SearchedTable, searchedTables } from '../notes/word-parts.ts';
import { type Connection, Database } from '../sqlite/connection.ts';
import { type Prepare, preparer } from '../sqlite/statements.ts';

/**
 * The faults that SQLite finds in the file, one sentence each; empty if the file is sound. Reads every page.
 */
export const damageOf = (db: Connection) =>
  preparer(db)<string>('PRAGMA integrity_check')
    .values()
    .filter((line) => line !== 'ok');

/** Tables and indexes that are missing, changed, or not from this program. */
export function schemaDifferences(db: Connection) {
  const found = schemaOf(db);
  const fresh = new Database(':memory:');
  fresh.exec(schema);
  for (const searched of searchedTables)
    // A store with a damaged schema may even lack the table that lists the parts.
    for (const part of found.has('word_parts') ? partsOf(preparer(db), searched) : [])
      for (const text of partSchema(searched, part)) fresh.exec(text);
  const expected = schemaOf(fresh);
  fresh.close();
  return [
    ...[...expected].flatMap(([name, sql]) =>
      found.get(name) === sql ? [] : [`${name} is ${found.has(name) ? 'changed' : 'missing'}`],
    ),
    ...[...found.keys()].flatMap((name) => (expected.has(name) ? [] : [`${name} is not part of this version`])),
  ];
}

function schemaOf(db: Connection): Map<string, string | null> {
  const rows = preparer(db)<{ name: string; sql: string | null }>(
    `SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'`,
  ).all();
  return new Map(rows.map(({ name, sql }) => [name, sql]));
}

/** Maximum number of differences of one kind to report: if one block is wrong, many usually are. */
const maxReported = 20;

const timesOf = ({ table, key, times: [earliest, latest] }: (typeof timedTables)[number]) => `
  SELECT iif(row_count <> n, 'number', 'times') || ' of ' || $table || ' ' || first || ' to ' || last AS difference FROM (
    SELECT (${key} - 1) / ${rowsOfBlock} AS block, min(${key}) AS first, max(${key}) AS last, ${earliest} AS a, ${latest} AS b, count(*) AS n
    FROM ${table} NOT INDEXED WHERE ${key} <= $noted GROUP BY 1) AS found
  LEFT JOIN time_blocks ON table_name = $table AND time_blocks.block = found.block
  WHERE earliest IS NULL OR a < earliest OR b > latest OR row_count <> n`;

/**
 * Selects rows that have no words in the index, and indexed words of rows outside their part. Words of deleted
 * rows may remain.
 */
function wordDifferences(sql: Prepare, searched: SearchedTable) {
  const { table, key } = searched;
  const ranges = partsOf(sql, searched).map((part) => {
    const after = part * rowsOfPart;
    const last = after + rowsOfPart;
    const ids = `SELECT id FROM ${partTable(searched, part)}_docsize`;
    return `SELECT ${key} AS row, '' AS why FROM ${table} NOT INDEXED
      WHERE ${key} > ${after} AND ${key} <= min(${last}, $noted) AND ${key} NOT IN (${ids})
      UNION ALL SELECT id, ' without their row' FROM (${ids}) WHERE id > $noted OR id <= ${after} OR id > ${last}`;
  });
  const inNone = `SELECT ${key} AS row, '' AS why FROM ${table} NOT INDEXED
    WHERE ${key} <= $noted AND (${key} - 1) / ${rowsOfPart} NOT IN (SELECT part FROM word_parts WHERE table_name = $table)`;
  return `SELECT 'words of ' || $table || ' ' || row || why AS difference FROM (${[inNone, ...ranges].join(' UNION ALL ')})`;
}

const numbersOf = (kept: string, found: string) => `
  SELECT 'number of ' || of || ' is ' || sum(kept) || ', messages are ' || sum(found) AS difference FROM (
    SELECT ${kept} AS of, n AS kept, 0 AS found FROM ${found}
    UNION ALL SELECT ${kept}, 0, count(*) FROM (
      SELECT coalesce(${messageColumns.execution_id}, '') AS execution_id, ${messageColumns.message_type} AS message_type FROM message_rows NOT INDEXED WHERE seq <= $noted) GROUP BY 1)
  GROUP BY of HAVING sum(kept) <> sum(found)`;

const numberColumns = ['type_no', 'sender_no', 'namespace_no', 'execution_no', 'run_no'];

/** Selects the name numbers in messages for which the store has no name. */
const nameless = `
  SELECT 'the name ' || no || ' of the message ' || min(seq) AS difference FROM (
    ${[...numberColumns, `iif(instr(short_id, '/') = 0, type_no, CAST(short_id AS INTEGER))`].map((no) => `SELECT seq, ${no} AS no FROM message_rows NOT INDEXED`).join(' UNION ALL ')})
  WHERE no NOT IN (SELECT name_no FROM names) GROUP BY no`;

const namespaces = `
  SELECT 'namespace ' || namespace || ' in the messages ' || min(seq) || ' to ' || max(seq) AS difference FROM (
    SELECT seq, ${messageColumns.namespace} AS namespace FROM message_rows NOT INDEXED WHERE seq <= $noted AND namespace_no IS NOT NULL)
  WHERE namespace IS NOT NULL
    AND (namespace, (seq - 1) / ${rowsOfBlock}) NOT IN (SELECT namespace, block FROM message_namespaces)
  GROUP BY namespace, (seq - 1) / ${rowsOfBlock}`;

/**
 * Returns a short description of each block note that disagrees with the block's rows. Reads every row, but
 * does not compare words: it only checks that each row has words in the index, and that no indexed words belong
 * to rows outside their part. Times and namespaces of deleted rows may remain; a search then reads some rows
 * unnecessarily, but misses none.
 */
export function blockDifferences(sql: Prepare) {
  const ask = (table: string, text: string) => {
    const noted = lastNoted(sql, table);
    return sql<string>(`${text} LIMIT ${maxReported}`).values({ table, noted });
  };
  return [
    ...timedTables.flatMap((timed) => ask(timed.table, timesOf(timed))),
    ...searchedTables.flatMap((searched) => ask(searched.table, wordDifferences(sql, searched))),
    ...ask('message_rows', numbersOf(`message_type || ' of ' || execution_id`, 'message_counts')),
    ...ask('message_rows', numbersOf('message_type', 'message_totals')),
    ...ask('message_rows', namespaces),
    ...ask('message_rows', nameless),
  ];
}
