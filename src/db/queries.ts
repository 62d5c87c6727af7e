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
import { partReader } from './reports/evidence.ts';
import { recordedFilesOf } from './reports/recorded-files.ts';
import type { Connection } from './sqlite/connection.ts';
import { type KeptAnswers, keepAnswers } from './sqlite/kept-answers.ts';
import { preparer } from './sqlite/statements.ts';
import { createTimelineQueries } from './timeline-queries.ts';

type RecordedFilesArguments = Parameters<typeof recordedFilesOf> extends [unknown, ...infer Rest] ? Rest : never;

/** As SQL: the times of the newest heartbeat, message and log line. An alarm must not make an idle store look fresh. */
const newestOf = [
  'SELECT max(last_heartbeat) FROM system_agents',
  `SELECT ${messageColumns.recorded_at} FROM message_rows WHERE ${indexPredicates.exceptLogbook} ORDER BY seq DESC LIMIT 1`,
  'SELECT timestamp FROM app_logs WHERE log_id = (SELECT max(log_id) FROM app_logs)',
];

/** All questions about a store: tools see nothing else of the database. */
export function createQueries(db: Connection, isAlive: LivenessTest) {
  const kept = isReader(db) ? keepAnswers(db) : undefined;
  const sql = kept?.sql ?? preparer(db);
  const findWords = createWordSearch(sql);
  // For answers that are used once and not kept.
  const plain = preparer(db);
  return {
    ...createSnapshots(db, kept),
    /** The store's own id; undefined if an earlier version made the store and it has no id yet. */
    storeId: () => knownStoreId(sql),
    /** The file where the store was made. A store elsewhere is a copy, with the same id. */
    home: () => homeOf(sql),
    /** When the store last changed, which bounds how fresh an answer can be. Undefined for an empty store. */
    dataAsOf(): string | undefined {
      const { read } = partReader();
      return newestOf
        .flatMap((text) => read(text, () => sql<[], string | null>(text).value(), undefined) ?? [])
        .toSorted()
        .at(-1);
    },
    /** The state of this store as a moment, `TIME@MESSAGE_ID`. @param now milliseconds since 1970 */
    momentExactly(now: number): string {
      const last = sql<[], string>('SELECT message_id FROM message_rows ORDER BY seq DESC LIMIT 1').value();
      return `${new Date(now).toISOString()}@${last ?? noMessage}`;
    },
    /** Observers that listen into this store now. @param now milliseconds since 1970 */
    listeningObservers: (now: number) => listeningObservers(plain, isAlive, now),
    /** Runs one SQL query over the documented views in a separate process. */
    askSql: async (question: string, signal: AbortSignal) =>
      (await import('./query-store/ask-process.ts')).askProcess(db.name, question, signal),
    /** The recorded data files of an execution, of one kind, after a key. */
    recordedFiles: (...args: RecordedFilesArguments) => recordedFilesOf(plain, ...args),
    ...createTimelineQueries(sql, plain, isAlive),
    ...createExecutionQueries(sql, findWords, isAlive),
    ...createLogbookQueries(plain, isAlive),
    ...createListQueries(sql, findWords, isAlive),
  };
}

function createSnapshots(db: Connection, kept: KeptAnswers | undefined) {
  const sql = preparer(db);
  const begin = (): void => {
    sql('BEGIN').run();
    // The first read fixes the snapshot.
    sql('SELECT 1 FROM sqlite_schema LIMIT 1').get();
    kept?.refresh();
  };
  // Nothing was written, and a damaged store refuses even an empty commit.
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
    /** The asynchronous form. No other code may use this connection meanwhile. */
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

/** Whether a connection only reads. SQLite does not report a writing connection's own commits to it. */
const isReader = (db: Connection): boolean => db.pragma('query_only', { simple: true }) === 1;

export type Queries = ReturnType<typeof createQueries>;
