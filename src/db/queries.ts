import { createExecutionQueries } from './execution-queries.ts';
import { createListQueries } from './list-queries.ts';
import { createWordSearch } from './lists/word-search.ts';
import { noMessage } from './log/rows.ts';
import { homeOf, knownStoreId } from './log/store-identity.ts';
import { createLogbookQueries } from './logbook-queries.ts';
import { indexPredicates } from './migrations/index-predicates.ts';
import { messageColumns } from './migrations/message-columns.ts';
import { listeningObservers } from './observed/hearings.ts';
import type { LivenessTest } from './presence/leases.ts';
import { PartReader } from './reports/part-reader.ts';
import { recordedFilesOf } from './reports/recorded-files.ts';
import type { Connection } from './sqlite/connection.ts';
import { keepAnswers, type KeptAnswers } from './sqlite/kept-answers.ts';
import { preparer } from './sqlite/statements.ts';
import { createTimelineQueries } from './timeline-queries.ts';

type RecordedFilesArguments = Parameters<typeof recordedFilesOf> extends [unknown, ...infer Rest] ? Rest : never;

/** Where the newest thing of each kind stands. An alarm must not make a store look fresh in which nothing moves. */
const newestOf = [
  'SELECT max(last_heartbeat) AS at FROM system_agents',
  `SELECT ${messageColumns.recorded_at} AS at FROM message_rows WHERE ${indexPredicates.exceptLogbook} ORDER BY seq DESC LIMIT 1`,
  'SELECT timestamp AS at FROM app_logs WHERE log_id = (SELECT max(log_id) FROM app_logs)',
];

/** Everything that can be asked of a store: the whole of what tools see of the database. */
export function createQueries(db: Connection, isAlive: LivenessTest) {
  const kept = isReader(db) ? keepAnswers(db) : undefined;
  const sql = kept?.sql ?? preparer(db);
  const findWords = createWordSearch(sql);
  // Statements whose answers are taken once, and need not be kept.
  const plain = preparer(db);
  return {
    ...createSnapshots(db, kept),
    /** The store's own id; undefined in one of an earlier version that has none yet. */
    storeId: () => knownStoreId(sql),
    /** The file where the store was made. One that stands elsewhere is a copy, with the same id. */
    home: () => homeOf(sql),
    /** When the newest thing in the store was written: how fresh any answer can be. Undefined for an empty store. */
    dataAsOf(): string | undefined {
      const parts = new PartReader();
      return newestOf
        .flatMap((text) => parts.read(text, () => sql<[], { at: string | null }>(text).get()?.at, undefined) ?? [])
        .toSorted()
        .at(-1);
    },
    /** A moment with the state that is asked, as `TIME@MESSAGE_ID`. @param now milliseconds since 1970 */
    momentExactly(now: number): string {
      const last = sql<[], { message_id: string }>(
        'SELECT message_id FROM message_rows ORDER BY seq DESC LIMIT 1',
      ).get();
      return `${new Date(now).toISOString()}@${last?.message_id ?? noMessage}`;
    },
    /** Observers that hear into this store now. @param now milliseconds since 1970 */
    listeningObservers: (now: number) => listeningObservers(plain, isAlive, now),
    /** One question in SQL over the documented views, in a process of its own. */
    askSql: async (question: string, signal: AbortSignal) =>
      (await import('./query-store/ask-process.ts')).askProcess(db.name, question, signal),
    /** Data files that are recorded of an execution, of one kind, behind a place. */
    recordedFiles: (...args: RecordedFilesArguments) => recordedFilesOf(plain, ...args),
    ...createTimelineQueries(plain, isAlive),
    ...createExecutionQueries(sql, findWords, isAlive),
    ...createLogbookQueries(plain, isAlive),
    ...createListQueries(sql, findWords, isAlive),
  };
}

/** One state of the store for several questions. */
function createSnapshots(db: Connection, kept: KeptAnswers | undefined) {
  const sql = preparer(db);
  const begin = (): void => {
    sql('BEGIN').run();
    // The first read decides which state it is.
    sql('SELECT 1 FROM sqlite_schema LIMIT 1').get();
    kept?.refresh();
  };
  // Nothing was written; a store that is damaged refuses to commit even that.
  const end = (): void => {
    if (db.inTransaction) sql('ROLLBACK').run();
  };
  return {
    /** Runs several questions on one state of the store, so that their answers agree. */
    snapshot<T>(ask: () => T): T {
      if (db.inTransaction) return ask();
      begin();
      try {
        return ask();
      } finally {
        end();
      }
    },
    /** The same for as long as it takes. Nobody else may ask by this connection meanwhile. */
    async heldSnapshot<T>(ask: () => Promise<T>): Promise<T> {
      begin();
      try {
        return await ask();
      } finally {
        end();
      }
    },
  };
}

/** Whether a connection was opened to read. Of one that writes SQLite does not tell its own commits. */
const isReader = (db: Connection): boolean => db.pragma('query_only', { simple: true }) === 1;

export type Queries = ReturnType<typeof createQueries>;
