import { copyFileSync } from 'node:fs';

import Database from 'better-sqlite3';

/** Values that a column can hold and that no sound row has. */
const values: Readonly<Record<string, readonly unknown[]>> = {
  INTEGER: [-1n, 0n, 2n ** 53n + 1n, -(2n ** 63n), 2n ** 63n - 1n],
  TEXT: ['', 'x', '9'.repeat(400), 'a/b/c', '\u202E\0'],
  REAL: [1e308, -1e308, Infinity, -1],
};

/** Texts that only a column of their kind can be asked to bear: by the begin of what it holds. */
const kinds: readonly [form: RegExp, values: readonly string[]][] = [
  [/^[[{]/, ['{"broken', '{}', '[]', 'null', '[1]']],
  [/^\d{4}-\d\d-\d\dT/, ['+275760-09-13T00:00:00.000Z']],
];

interface Column {
  table: string;
  column: string;
  type: string;
  /** A counter of the store: what it has counted to is no word of anybody's, and stays a number that can be counted on. */
  isKey: 0 | 1;
  /** A value that it holds; null if it holds none. */
  example: string | null;
}

/** Every column of every table of a store. Shadow tables of the word search are SQLite's own. */
export function columnsOf(path: string): Column[] {
  const db = new Database(path, { readonly: true });
  const columns = db
    .prepare<[], Omit<Column, 'example'>>(
      `SELECT m.name AS "table", c.name AS "column", c.type, c.pk AND c.type = 'INTEGER' AS isKey FROM sqlite_schema AS m, pragma_table_info(m.name) AS c
       WHERE m.type = 'table' AND m.sql NOT LIKE 'CREATE VIRTUAL%' AND m.name NOT LIKE 'sqlite_%'
         AND m.name NOT IN (SELECT s.name FROM sqlite_schema AS s JOIN sqlite_schema AS v ON v.sql LIKE 'CREATE VIRTUAL%' AND s.name LIKE v.name || '%')`,
    )
    .all()
    .map((one) => ({ ...one, example: exampleOf(db, one) }));
  db.close();
  return columns;
}

const exampleOf = (db: Database.Database, { table, column }: Pick<Column, 'table' | 'column'>): string | null =>
  db.prepare<[], string | null>(`SELECT CAST(max("${column}") AS TEXT) FROM "${table}"`).pluck().get() ?? null;

/** The tables that some SQL reads, those below its views included. */
export function tablesReadBy(path: string, sql: string): ReadonlySet<string> {
  const db = new Database(path, { readonly: true });
  const named = db
    .prepare<[], { name: string; type: string; sql: string | null }>(`SELECT name, type, sql FROM sqlite_schema`)
    .all()
    .filter(({ type }) => type === 'table' || type === 'view');
  db.close();
  const tables = new Set<string>();
  const words = (text: string): ReadonlySet<string> => new Set(text.match(/\w+/g));
  const add = (found: ReadonlySet<string>): void => {
    for (const { name, type, sql: text } of named)
      if (found.has(name) && !tables.has(name)) {
        tables.add(name);
        if (type === 'view') add(words(text ?? ''));
      }
  };
  add(words(sql));
  return tables;
}

/** Values to try in a column. One that holds nothing yet may be of any kind. */
export function extremesOf({ type, isKey, example }: Column): readonly unknown[] {
  const ofKind = kinds.flatMap(([form, texts]) => (example === null || form.test(example) ? texts : []));
  return [...(values[type] ?? []), ...(type === 'TEXT' ? ofKind : [])].filter(
    (value) => isKey === 0 || Number(value) <= Number.MAX_SAFE_INTEGER,
  );
}

/** Triggers would change rows of other tables too. */
function dropTriggers(db: Database.Database): void {
  const names = db.prepare<[], string>(`SELECT name FROM sqlite_schema WHERE type = 'trigger'`).pluck().all();
  for (const name of names) db.exec(`DROP TRIGGER "${name}"`);
}

/** A copy of a store in which a column has one value, in all rows or, where it must differ, in the last. Returns whether any row was changed. */
export function damage(base: string, path: string, { table, column }: Column, value: unknown): boolean {
  copyFileSync(base, path);
  const db = new Database(path);
  db.unsafeMode(true);
  db.pragma('synchronous = off');
  dropTriggers(db);
  db.pragma('ignore_check_constraints = 1');
  db.pragma('foreign_keys = 0');
  const everywhere = `UPDATE "${table}" SET "${column}" = ?`;
  try {
    for (const sql of [everywhere, `${everywhere} WHERE rowid = (SELECT max(rowid) FROM "${table}")`])
      try {
        return db.prepare(sql).run(value).changes > 0;
      } catch {
        // The value must be another one in each row, or must not be at all.
      }
    return false;
  } finally {
    db.close();
  }
}
