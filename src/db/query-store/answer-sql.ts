import { messageOf, SwfError } from '../../lib/errors.ts';
import type { Connection } from '../sqlite/connection.ts';
import { preparer } from '../sqlite/statements.ts';
import { checkSql, functionRefused, functions, tableRefused, viewNames } from './check-sql.ts';

export interface SqlAnswer {
  columns: string[];
  rows: (string | number | null)[][];
  /** Whether there are more rows, or texts were cut. */
  truncated: boolean;
}

const maxRows = 200;
const maxCharacters = 10_000;
const longestText = 2000;
const maxColumns = 100;

/** Bytes that SQLite may use. JavaScript holds a second copy of each returned value. */
const maxMemory = 128 * 1024 * 1024;

/**
 * Runs one query on a read-only connection. Throws an `Error` with SQLite's message, which lists the existing
 * columns if one is unknown.
 */
export function answerSql(db: Connection, sql: string): SqlAnswer {
  db.pragma(`hard_heap_limit = ${maxMemory}`);
  checkSql(sql);
  hideRest(db);
  try {
    return readRows(db, sql);
  } catch (error) {
    if (error instanceof SwfError) throw error;
    const text = messageOf(error);
    const [, table = '', what, name = ''] =
      /^'(.*)' is not a function$|^no such (table|function|column): (.*)$/.exec(text) ?? [];
    if (table !== '') throw functionRefused(table);
    if (what === 'table') throw tableRefused(name);
    if (what === 'function') throw functionRefused(name);
    throw new Error(what === 'column' ? `${text}; ${columnsOf(db, sql)}` : text, { cause: error });
  }
}

/**
 * Hides everything but the documented views and the allowed functions: SQLite looks for a table among the
 * temporary ones of a connection first, and a view of the store reads the store's own. What is hidden keeps its
 * columns, so that the table is refused, not a column.
 */
function hideRest(db: Connection) {
  const sql = preparer(db);
  const tables = sql<{ name: string; own: string }>(
    `SELECT name, 'LEFT JOIN main."' || name || '" ON 0' AS own FROM sqlite_schema
     WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
     UNION ALL SELECT name, '' FROM (SELECT name FROM pragma_module_list UNION VALUES ('json_each'), ('json_tree'))
     WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE 'pragma\\_%' ESCAPE '\\'`,
  ).all();
  const others = sql<{ name: string; narg: number }>('SELECT name, narg FROM pragma_function_list').all();
  db.function('refuse_table', (name) => {
    throw tableRefused(String(name));
  });
  db.pragma('query_only = OFF');
  for (const { name, own } of tables.filter((one) => !viewNames.includes(one.name)))
    db.exec(
      `CREATE TEMP VIEW IF NOT EXISTS "${name}" AS SELECT * FROM (SELECT 1 WHERE refuse_table('${name}')) ${own}`,
    );
  db.pragma('query_only = ON');
  for (const { name, narg } of others.filter((one) => !functions.includes(one.name))) {
    const refuse = () => {
      throw functionRefused(name);
    };
    // The number of arguments: SQLite prefers the function that takes exactly as many.
    db.function(name, { varargs: narg < 0 }, Object.defineProperty(refuse, 'length', { value: narg }));
  }
}

function readRows(db: Connection, sql: string): SqlAnswer {
  const statement = db.prepare(sql).raw().safeIntegers();
  const columns = statement.columns().map(({ name }) => name);
  if (columns.length > maxColumns) throw new Error(`${columns.length} columns; ask for ${maxColumns} at most`);
  const rows: SqlAnswer['rows'] = [];
  let room = maxCharacters - JSON.stringify(columns).length;
  let isCut = false;
  for (const values of statement.iterate() as Iterable<unknown[]>) {
    if (rows.length === maxRows) return { columns, rows, truncated: true };
    const row = values.map((value) => {
      const plain = plainOf(value);
      if (typeof plain !== 'string' || plain.length <= longestText) return plain;
      isCut = true;
      return plain.slice(0, longestText);
    });
    room -= JSON.stringify(row).length + 1;
    if (room < 0) return { columns, rows, truncated: true };
    rows.push(row);
  }
  return { columns, rows, truncated: isCut };
}

/** A value for JSON: integers beyond JSON's range, and bytes, become text. */
function plainOf(value: unknown) {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value instanceof Uint8Array) return `x'${Buffer.from(value.subarray(0, longestText)).toString('hex')}'`;
  return typeof value === 'number' ? (Number.isFinite(value) ? value : String(value)) : (value as string | null);
}

function columnsOf(db: Connection, sql: string) {
  const named = viewNames.filter((name) => sql.toLowerCase().includes(name));
  return named
    .map((name) => {
      const columns = db.prepare(`SELECT * FROM ${name} LIMIT 0`).columns();
      return `${name} has ${columns.map((column) => column.name).join(', ')}`;
    })
    .join('; ');
}
