import type { Connection } from '../sqlite/connection.ts';
import { checkSql, viewNames } from './check-sql.ts';

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
  checkSql(sql, takenNames(db));
  try {
    return readRows(db, sql);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new Error(`${text}${text.startsWith('no such column') ? `; ${columnsOf(db, sql)}` : ''}`, { cause: error });
  }
}

/** Names in use in the store: tables, views, indexes, and modules that are tables themselves. */
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
