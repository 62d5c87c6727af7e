import type { RunResult } from 'better-sqlite3';

import { asSwfError } from './store-errors.ts';
import type { Connection } from './store.ts';

/** A prepared statement; what SQLite says of a faulty store is thrown as `SwfError`. */
export interface Prepared<Parameters extends unknown[], Row> {
  get(...values: Parameters): Row | undefined;
  all(...values: Parameters): Row[];
  run(...values: Parameters): RunResult;
}

export type Prepare = <Parameters extends unknown[], Row = unknown>(sql: string) => Prepared<Parameters, Row>;

/** Prepares each statement once a connection, however often it is asked for. */
export function preparer(db: Connection): Prepare {
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

function translating(db: Connection, sql: string): Prepared<unknown[], unknown> {
  const translated = (error: unknown): unknown => asSwfError(error, db.name);
  try {
    const statement = db.prepare(sql);
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
          return statement.all(...values);
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
