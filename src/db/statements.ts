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
  const translated = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw asSwfError(error, db.name);
    }
  };
  return <Parameters extends unknown[], Row>(sql: string) => {
    let prepared = known.get(sql);
    if (prepared === undefined) {
      const statement = translated(() => db.prepare(sql));
      prepared = {
        get: (...values) => translated(() => statement.get(...values)),
        all: (...values) => translated(() => statement.all(...values)),
        run: (...values) => translated(() => statement.run(...values)),
      };
      known.set(sql, prepared);
    }
    return prepared as unknown as Prepared<Parameters, Row>;
  };
}
