import { schemaHistory } from '../migrations/index.ts';
import { partSchema, partsOf, searchedTables } from '../notes/word-parts.ts';
import type { Connection } from '../sqlite/connection.ts';
import { Database } from '../sqlite/database.ts';
import { preparer } from '../sqlite/statements.ts';

/** The damage that SQLite finds in the file, a sentence each; empty if the file is sound. Reads every page. */
export const damageOf = (db: Connection): string[] =>
  preparer(db)<[], string>('PRAGMA integrity_check')
    .values()
    .filter((line) => line !== 'ok');

/** Tables and indexes that are missing, changed, or not of this program. */
export function schemaDifferences(db: Connection): string[] {
  const found = schemaOf(db);
  const fresh = new Database(':memory:');
  fresh.exec(schemaHistory.base);
  for (const { sql } of schemaHistory.steps) fresh.exec(sql);
  for (const searched of searchedTables)
    // A store with a damaged schema may lack even the table of parts.
    for (const part of found.has('word_parts') ? partsOf(preparer(db), searched) : [])
      for (const text of partSchema(searched, part)) fresh.exec(text);
  const expected = schemaOf(fresh);
  fresh.close();
  return [
    ...[...expected].flatMap(([name, sql]) =>
      found.get(name) === sql ? [] : [`${name} is ${found.has(name) ? 'changed' : 'missing'}`],
    ),
    ...[...found.keys()].flatMap((name) => (expected.has(name) ? [] : [`${name} is not of this program`])),
  ];
}

function schemaOf(db: Connection): Map<string, string | null> {
  const rows = preparer(db)<[], { name: string; sql: string | null }>(
    `SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'`,
  ).all();
  return new Map(rows.map(({ name, sql }) => [name, sql]));
}
