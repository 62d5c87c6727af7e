import { secondsAhead } from '../domain/liveness.ts';
import type { SummaryQuestion } from '../domain/summary-words.ts';
import { percentDone } from '../lib/rounded.ts';
import type { Steps } from '../lib/steps.ts';
import { millisecondsOf } from '../lib/time.ts';
import type { Attempts } from '../monitoring/timeline/attempts.ts';
import { pack, type Packed } from '../monitoring/timeline/pack.ts';
import { createExecutionQueries } from './execution-queries.ts';
import { type ExecutionRow, markAtRest } from './execution/find-execution.ts';
import { createListQueries } from './list-queries.ts';
import { createWordSearch } from './lists/word-search.ts';
import { noMessage } from './log/rows.ts';
import { homeOf, knownStoreId } from './log/store-identity.ts';
import { alarmsIn, openAlarms } from './logbook/alarms.ts';
import { judgementsUntil, notesOf, notesWritten, qualityOf } from './logbook/people.ts';
import { isWatched } from './logbook/watching.ts';
import { indexPredicates } from './migrations/index-predicates.ts';
import { messageColumns } from './migrations/message-columns.ts';
import { listeningObservers } from './observed/hearings.ts';
import type { LivenessTest } from './presence/leases.ts';
import { partReader } from './reports/evidence.ts';
import { recordedFilesOf } from './reports/recorded-files.ts';
import type { Connection } from './sqlite/connection.ts';
import { keepAnswers, type KeptAnswers } from './sqlite/kept-answers.ts';
import { type Prepare, preparer, questionsTo } from './sqlite/statements.ts';
import { summarize } from './summaries/summary.ts';
import { rememberHistories } from './timeline/attempt-history.ts';
import {
  type Timeline,
  timelineOf,
  timelineQuestion,
  type TimelineQuestion,
  type WantedTimeline,
} from './timeline/question.ts';

const newestMessage = `SELECT ${messageColumns.recorded_at} FROM message_rows WHERE ${indexPredicates.exceptLogbook} ORDER BY seq DESC LIMIT 1`;

/**
 * As SQL: the times of the newest heartbeat, message and log line. Logbook messages do not count: an alarm must
 * not make an idle store look fresh.
 */
const newestOf = [
  'SELECT max(last_heartbeat) FROM system_agents',
  newestMessage,
  'SELECT timestamp FROM app_logs WHERE log_id = (SELECT max(log_id) FROM app_logs)',
];

/** All queries on a store. Tools access the database only through them. */
export function createQueries(db: Connection, isAlive: LivenessTest) {
  const kept = isReader(db) ? keepAnswers(db, markAtRest) : undefined;
  const sql = kept?.sql ?? preparer(db);
  const findWords = createWordSearch(sql);
  // For answers that are used only once and are therefore not cached.
  const plain = preparer(db);
  return {
    ...createSnapshots(db, kept),
    ...questionsTo(sql, { storeId: knownStoreId, home: homeOf }),
    /** When the store last changed, which limits how fresh an answer can be. Undefined for an empty store. */
    dataAsOf() {
      const { read } = partReader();
      return newestOf
        .flatMap((text) => read(text, () => sql<string | null>(text).value(), undefined) ?? [])
        .toSorted()
        .at(-1);
    },
    /** The number of seconds by which the newest message is ahead of this host's clock; see `secondsAhead`. */
    ahead: (now: number) => secondsAhead(millisecondsOf(sql<string>(newestMessage).value()) ?? 0, now),
    /**
     * The moment `now` in the form `TIME@MESSAGE_ID`, with the id of this store's newest message.
     * @param now
     * milliseconds since 1970
     */
    momentExactly(now: number) {
      const last = sql<string>(
        `SELECT ${messageColumns.message_id} FROM message_rows ORDER BY seq DESC LIMIT 1`,
      ).value();
      return `${new Date(now).toISOString()}@${last ?? noMessage}`;
    },
    /** The observers that are currently writing to this store. @param now milliseconds since 1970 */
    listeningObservers: (now: number) => listeningObservers(plain, isAlive, now),
    /** Runs one SQL query over the documented views in a separate process. */
    askSql: async (question: string, signal: AbortSignal) =>
      (await import('./query-store/ask-process.ts')).askProcess(db.name, question, signal),
    ...questionsTo(plain, { recordedFiles: recordedFilesOf }),
    ...createTimelineQueries(sql, plain, isAlive),
    ...createExecutionQueries(sql, findWords, isAlive),
    ...createLogbookQueries(sql, plain, isAlive),
    ...createListQueries(sql, findWords, isAlive),
  };
}

function createSnapshots(db: Connection, kept: KeptAnswers | undefined) {
  const sql = preparer(db);
  const begin = () => {
    sql('BEGIN').run();
    // The first read fixes the snapshot.
    if (kept === undefined) sql('SELECT 1 FROM sqlite_schema LIMIT 1').get();
    else kept.refresh();
  };
  // Roll back: nothing was written, and a damaged store refuses even an empty commit.
  const end = () => {
    if (db.inTransaction) sql('ROLLBACK').run();
  };
  return {
    /** Runs several queries on one state of the store, so that their answers agree. */
    snapshot<T>(ask: () => T) {
      if (db.inTransaction) return ask();
      begin();
      try {
        return ask();
      } finally {
        end();
      }
    },
    /** The asynchronous form of `snapshot`. No other code may use this connection in the meantime. */
    async heldSnapshot<T>(ask: () => Promise<T>) {
      begin();
      try {
        return await ask();
      } finally {
        end();
      }
    },
  };
}

/**
 * Whether a connection only reads. Only such a connection may cache answers, since SQLite does not tell a
 * connection about its own commits.
 */
const isReader = (db: Connection) => db.pragma('query_only', { simple: true }) === 1;

export type Queries = ReturnType<typeof createQueries>;

const createLogbookQueries = (sql: Prepare, plain: Prepare, isAlive: LivenessTest) => ({
  ...questionsTo(plain, { notesWritten, judgementsUntil, alarmsIn, openAlarms }),
  ...questionsTo(sql, { notesOf }),
  /** The quality of a run; undefined if it was never set or has been withdrawn. */
  qualityOf(executionId: string) {
    const quality = qualityOf(sql, executionId);
    return quality?.value === 'none' ? undefined : quality;
  },
  isWatched: (now: number) => isWatched(plain, isAlive, now),
});

/**
 * Queries about all attempts of an execution; the attempts are kept in memory. Run each step of an answer in a
 * snapshot.
 * @param plain statements without a cache, since each attempt is read only once
 */
function createTimelineQueries(sql: Prepare, plain: Prepare, isAlive: LivenessTest) {
  const historyOf = rememberHistories(plain);
  return {
    /**
     * The query for a picture of an execution's life or of a part of it (times in ISO 8601). `now` is in
     * milliseconds since 1970.
     */
    timelineQuestion: (execution: ExecutionRow, now: number, wanted: WantedTimeline): TimelineQuestion =>
      timelineQuestion(sql, execution, wanted, { isAlive, now }),
    *timeline(question: TimelineQuestion): Steps<Timeline> {
      return yield* timelineOf(sql, historyOf(question.execution.execution_id), question);
    },
    /** Every attempt of an execution as bytes. */
    *packedAttempts(executionId: string): Steps<Packed> {
      return pack(yield* historyOf(executionId).follow());
    },
    /** Every attempt of an execution as columns of numbers, valid until the next query. */
    *attempts(executionId: string): Steps<Attempts> {
      return yield* historyOf(executionId).follow();
    },
    /** The fraction of an execution's slices already read for its timeline, from 0 to 1. */
    timelinePart: ({ execution_id, slices_created }: ExecutionRow) =>
      Math.min(1, percentDone(historyOf(execution_id).columns.length, slices_created) / 100),
    /** Groups of rows with their sums. */
    summarize: (question: SummaryQuestion) => summarize(sql, historyOf, question),
  };
}
