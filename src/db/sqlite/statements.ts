import type { RunResult, Statement } from 'better-sqlite3';

import type { Connection } from './open-store.ts';
import { asSwfError } from './sqlite-errors.ts';

/** A prepared statement; what SQLite says of a faulty store is thrown as `SwfError`. */
export interface Prepared<Parameters extends unknown[], Row> {
  get(...values: Parameters): Row | undefined;
  all(...values: Parameters): Row[];
  run(...values: Parameters): RunResult;
}

export type Prepare = <Parameters extends unknown[], Row = unknown>(sql: string) => Prepared<Parameters, Row>;

const preparers = new WeakMap<Connection, Prepare>();

/** Prepares each statement once a connection, however often and from wherever it is asked for. */
export function preparer(db: Connection): Prepare {
  const prepare = preparers.get(db) ?? createPreparer(db);
  preparers.set(db, prepare);
  return prepare;
}

function createPreparer(db: Connection): Prepare {
  const known = new Map<string, Prepared<unknown[], unknown>>();
  return <Parameters extends unknown[], Row>(sql: string) => {
    let prepared = known.get(sql);
    if (prepared === undefined) {
      prepared = translating(db, sql);
      known.set(sql, prepared);
    }
    return prepared as unknown as Prepared<Parameters, Row>;
  };
}

/** With a value in this place alone SQLite plans a statement anew at each call; within an expression it takes the value as it comes. */
const plainLimit = /\b(LIMIT|OFFSET) \?/g;

function translating(db: Connection, sql: string): Prepared<unknown[], unknown> {
  const translated = (error: unknown): unknown => asSwfError(error, db.name);
  try {
    const statement = db.prepare(sql.replaceAll(plainLimit, '$1 (? + 0)'));
    const rowsOf = statement.reader ? readerOf(statement) : undefined;
    return {
      get(...values) {
        try {
          return statement.get(...values);
        } catch (error) {
          throw translated(error);
        }
      },
      all(...values) {
        try {
          return rowsOf === undefined ? statement.all(...values) : rowsOf(values);
        } catch (error) {
          throw translated(error);
        }
      },
      run(...values) {
        try {
          return statement.run(...values);
        } catch (error) {
          throw translated(error);
        }
      },
    };
  } catch (error) {
    throw translated(error);
  }
}

/** Rows as arrays made into objects here: half the time that better-sqlite3 takes to make the objects itself. */
function readerOf(statement: Statement): (values: unknown[]) => unknown[] {
  const names = statement.columns().map(({ name }) => name);
  return (values) => {
    let rows: unknown[][];
    try {
      rows = statement.raw().all(...values) as unknown[][];
    } finally {
      statement.raw(false);
    }
    return rows.map((row) => {
      const object: Record<string, unknown> = {};
      for (let at = 0; at < names.length; at += 1) object[names[at] as string] = row[at];
      return object;
    });
  };
}
