import type { RunResult, Statement } from 'better-sqlite3';

import { onceFor } from '../../lib/once-for.ts';
import type { Connection } from './connection.ts';
import { asSwfError } from './sqlite-errors.ts';

/** The parameters of a statement: values in order, or one object with named values. */
type Value = string | number | null | object;

/** A prepared statement. Errors caused by a faulty store are thrown as `SwfError`. */
export interface Prepared<Row, Parameters extends unknown[] = Value[]> {
  get(...values: Parameters): Row | undefined;
  all(...values: Parameters): Row[];
  /** The first column of the first row, for statements whose `Row` consists of only that column. */
  value(...values: Parameters): Row | undefined;
  values(...values: Parameters): Row[];
  has(...values: Parameters): boolean;
  run(...values: Parameters): RunResult;
}

export interface Prepare {
  <Row>(sql: string): Prepared<Row>;
  <Parameters extends unknown[], Row>(sql: string): Prepared<Row, Parameters>;
}

/** The statements of a connection. Each is prepared only once, however often it is requested. */
export const preparer = onceFor((db: Connection): Prepare => {
  const known = new Map<string, Prepared<unknown>>();
  return (sql: string) => {
    let prepared = known.get(sql);
    if (prepared === undefined) {
      prepared = prepareTranslated(db, sql);
      known.set(sql, prepared);
    }
    return prepared;
  };
});

type Questions = Record<string, (sql: Prepare, ...args: never[]) => unknown>;

type Asked<Some extends Questions> = {
  [Name in keyof Some]: Some[Name] extends (sql: Prepare, ...args: infer Args) => infer Answer
    ? (...args: Args) => Answer
    : never;
};

/**
 * Binds queries to a connection: functions that take its statements and other arguments become functions that
 * take only the other arguments.
 */
export const questionsTo = <Some extends Questions>(sql: Prepare, questions: Some) =>
  Object.fromEntries(
    Object.entries(questions).map(([name, question]) => [name, (...args: never[]) => question(sql, ...args)]),
  ) as Asked<Some>;

/**
 * With a plain parameter after LIMIT, SQLite plans the statement again for each call; with an expression it
 * does not.
 */
const plainLimit = /\b(LIMIT|OFFSET) \?/g;

function prepareTranslated(db: Connection, sql: string): Prepared<unknown> {
  const translated =
    (method: 'get' | 'all' | 'run') =>
    (...values: Value[]) => {
      try {
        return statement[method](...values);
      } catch (error) {
        throw asSwfError(error, db.name);
      }
    };
  const statement = prepareOn(db, sql.replaceAll(plainLimit, '$1 (? + 0)'));
  const asRow = statement.reader ? rowMaker(statement.raw()) : undefined;
  const get = translated('get') as (...values: Value[]) => unknown[] | undefined;
  const all = translated('all') as (...values: Value[]) => unknown[][];
  return {
    get: (...values) => {
      const row = get(...values);
      return asRow === undefined || row === undefined ? row : asRow(row);
    },
    all: (...values) => (asRow === undefined ? all(...values) : all(...values).map(asRow)),
    value: (...values) => get(...values)?.[0],
    values: (...values) => all(...values).map(([value]) => value),
    has: (...values) => get(...values) !== undefined,
    run: translated('run') as (...values: Value[]) => RunResult,
  };
}

function prepareOn(db: Connection, sql: string) {
  try {
    return db.prepare(sql);
  } catch (error) {
    throw asSwfError(error, db.name);
  }
}

/** Turns array rows into objects, in half the time that better-sqlite3 takes to create objects. */
function rowMaker(statement: Statement): (row: unknown[]) => unknown {
  const names = statement.columns().map(({ name }) => name);
  return (row) => {
    const object: Record<string, unknown> = {};
    for (let at = 0; at < names.length; at += 1) object[names[at] as string] = row[at];
    return object;
  };
}

/**
 * As SQL: a field of a JSON column; null if the text is damaged, since damaged text would make the whole
 * statement fail.
 */
export const jsonField = (column: string, field: string) =>
  `CASE WHEN json_valid(${column}) THEN ${column} ->> '$.${field}' END`;
