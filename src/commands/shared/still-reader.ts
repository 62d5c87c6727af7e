import { createQueries, type Queries } from '../../db/queries.ts';
import type { Connection } from '../../db/sqlite/connection.ts';
import { isAlive } from '../../lib/process-identity.ts';

/** Asks several things on one state of a store while it is written: one question after another, each in its own read transaction. */
export class StillReader {
  readonly #open: () => Connection;
  #reader: ReturnType<typeof readerOf> | undefined;
  #asked: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  /** @param open opens the store to read it */
  constructor(open: () => Connection) {
    this.#open = open;
  }

  ask<T>(ask: (queries: Queries) => Promise<T>): Promise<T> {
    const answer = this.#asked.then(() => this.#ask(ask));
    this.#asked = answer.catch(() => {});
    return answer;
  }

  close(): void {
    this.#isClosed = true;
    if (this.#reader?.db.inTransaction === false) this.#reader.db.close();
  }

  async #ask<T>(ask: (queries: Queries) => Promise<T>): Promise<T> {
    const { db, queries } = (this.#reader ??= readerOf(this.#open()));
    try {
      return await queries.heldSnapshot(() => ask(queries));
    } finally {
      if (this.#isClosed) db.close();
    }
  }
}

const readerOf = (db: Connection) => ({ db, queries: createQueries(db, isAlive) });
