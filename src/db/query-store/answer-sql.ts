import type { Connection } from '../sqlite/connection.ts';
import { checkSql, viewNames } from './check-sql.ts';

export interface SqlAnswer {
  columns: string[];
  rows: (string | number | null)[][];
  /** Whether there are more rows, or any text was cut. */
  truncated: boolean;
}

const maxRows = 200;
const maxCharacters = 10_000;
const longestText = 2000;
const maxColumns = 100;

/** Maximum memory for SQLite, in bytes. JavaScript holds a second copy of each returned value. */
const maxMemory = 128 * 1024 * 1024;

/**
 * Runs one query on a read-only connection. Throws an `Error` with SQLite's message; if a column is unknown,
 * the message lists the existing ones.
 */
export function answerSql(db: Connection, sql: string): SqlAnswer {
  db.pragma(`hard_heap_limit = ${maxMemory}`);
  checkSql(sql, takenNames(db));
  try {
    return readRows(db, sql);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new Error(`${text}${text.startsWith('no such column') ? `; ${columnsOf(db, sql)}` : ''}`, { cause: error });
  }
}

/** The names in use in the store: tables, views, indexes, and modules that can be used as tables. */
function takenNames(db: Connection): ReadonlySet<string> {
  const names = db
    .prepare('SELECT name FROM sqlite_schema UNION SELECT name FROM pragma_module_list')
    .pluck()
    .all() as string[];
  return new Set(names.map((name) => name.toLowerCase()));
}

function readRows(db: Connection, sql: string): SqlAnswer {
  const statement = db.prepare(sql).raw().safeIntegers();
  const columns = statement.columns().map(({ name }) => name);
  if (columns.length > maxColumns) throw new Error(`${columns.length} columns; ask for at most ${maxColumns}`);
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

/** A value for JSON. Bytes, and integers beyond JSON's range, become text. */
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
