import type { Statement } from 'better-sqlite3';

import type { Connection } from './store.ts';

export type Prepare = <Parameters extends unknown[], Row = unknown>(sql: string) => Statement<Parameters, Row>;

/** Prepares each statement once a connection, however often it is asked for. */
export function preparer(db: Connection): Prepare {
  const known = new Map<string, Statement>();
  return <Parameters extends unknown[], Row>(sql: string) => {
    let statement = known.get(sql);
    if (statement === undefined) {
      statement = db.prepare(sql);
      known.set(sql, statement);
    }
    return statement as unknown as Statement<Parameters, Row>;
  };
}
