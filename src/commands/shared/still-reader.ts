import { createQueries, type Queries } from '../../db/queries.ts';
import type { Connection } from '../../db/sqlite/connection.ts';
import { isAlive } from '../../lib/process-identity.ts';

/** Asks several things on one state of a store while it is written: one question after another, each in its own read transaction. */
export function createStillReader(open: () => Connection) {
  let reader: { db: Connection; queries: Queries } | undefined;
  let asked: Promise<unknown> = Promise.resolve();
  let isClosed = false;
  const readerOf = (db: Connection) => ({ db, queries: createQueries(db, isAlive) });
  async function answerOf<T>(ask: (queries: Queries) => Promise<T>): Promise<T> {
    const { db, queries } = (reader ??= readerOf(open()));
    try {
      return await queries.heldSnapshot(() => ask(queries));
    } finally {
      if (isClosed) db.close();
    }
  }
  return {
    ask<T>(ask: (queries: Queries) => Promise<T>): Promise<T> {
      const answer = asked.then(() => answerOf(ask));
      asked = answer.catch(() => {});
      return answer;
    },
    close(): void {
      isClosed = true;
      if (reader?.db.inTransaction === false) reader.db.close();
    },
  };
}
