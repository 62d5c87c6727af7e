import { openReader } from '../../db/opening/open-reader.ts';
import type { Pasts } from '../../db/past-queries.ts';
import { createQueries, type Queries } from '../../db/queries.ts';
import type { Connection } from '../../db/sqlite/connection.ts';
import { contentAt, fileAt } from '../../db/sqlite/store-file.ts';
import { isAlive } from '../../lib/process-identity.ts';
import type { LiveContext } from '../../tools/shared/tool.ts';
import { type Io, storePath } from './io.ts';

interface Open {
  db: Connection;
  queries: Queries;
  pasts?: Pasts;
  still?: ReturnType<typeof createStillReader>;
  file: string | undefined;
}

export type StoreReader = Disposable & Pick<LiveContext, 'queries' | 'past' | 'held'>;

/** Queries the store as of a moment. @param asOf like the tools' `as_of`; if omitted, the current state */
export async function askAt<T>(
  reader: StoreReader,
  asOf: string | undefined,
  question: (moment: { queries: Queries; now: number }) => Promise<T> | T,
) {
  if (asOf === undefined) return question({ queries: reader.queries(), now: Date.now() });
  return reader.past(asOf, Date.now(), question);
}

/** The full id of an execution. Throws `EXECUTION_NOT_FOUND`. */
export function idOf(io: Io, executionId: string) {
  using reader = createStoreReader(io);
  return reader.queries().execution(executionId).execution_id;
}

/**
 * Reads a store that may not exist yet, and may be removed and created again.
 * @param isServer whether clients may be waiting for other answers from this process
 */
export function createStoreReader(io: Io, { isServer = false } = {}): StoreReader {
  const path = storePath(io);
  let open: Open | undefined;
  const close = () => {
    open?.pasts?.close();
    open?.still?.close();
    open?.db.close();
    open = undefined;
  };
  const current = () => {
    // A copy in memory does not change with its file.
    const file = open?.db.memory === true ? contentAt(path) : fileAt(path);
    if (open !== undefined && open.file !== file) close();
    if (open === undefined) {
      const db = openReader(path, { isServer });
      open = { db, queries: createQueries(db, isAlive), file: db.memory ? contentAt(path) : fileAt(path) };
    }
    return open;
  };
  return {
    queries: () => current().queries,
    async past(asOf, present, question) {
      const opened = current();
      // Loaded on demand: questions about the past are rare, and replaying a log needs more modules.
      const { createPasts } = await import('../../db/past-queries.ts');
      opened.pasts ??= createPasts(opened.db, isAlive);
      return opened.pasts.ask(asOf, present, question);
    },
    async held(ask) {
      const opened = current();
      opened.still ??= createStillReader(() => openReader(path, { isServer }));
      return opened.still.ask(ask);
    },
    [Symbol.dispose]: close,
  };
}

/**
 * Answers questions one after another, each in its own read transaction, so that each sees one state of a store
 * that is being written to.
 */
export function createStillReader(open: () => Connection) {
  let reader: { db: Connection; queries: Queries } | undefined;
  let asked: Promise<unknown> = Promise.resolve();
  let isClosed = false;
  const readerOf = (db: Connection) => ({ db, queries: createQueries(db, isAlive) });
  async function answerOf<T>(ask: (queries: Queries) => Promise<T>) {
    const { db, queries } = (reader ??= readerOf(open()));
    try {
      return await queries.heldSnapshot(() => ask(queries));
    } finally {
      if (isClosed) db.close();
    }
  }
  return {
    ask<T>(ask: (queries: Queries) => Promise<T>) {
      const answer = asked.then(() => answerOf(ask));
      asked = answer.catch(() => {});
      return answer;
    },
    close() {
      isClosed = true;
      if (reader?.db.inTransaction === false) reader.db.close();
    },
  };
}
