import { onceFor, setNewest } from '../../lib/once-for.ts';
import type { Connection } from './connection.ts';
import { type Prepare, type Prepared, preparer } from './statements.ts';

/**
 * Maximum numbers of rows in a cached answer, and of cached answers: the memory of a server that is asked about
 * many executions must not grow forever.
 */
const maxRows = 200;
const maxAnswers = 400;

/** Number of executions for which answers to one question are cached beyond a commit. */
const maxExecutions = 50;

/** A query whose answer depends only on the store and on plain arguments. */
type Question<Args extends unknown[], Answer> = (sql: Prepare, ...args: Args) => Answer;

type Keep = <Args extends unknown[], Answer>(question: Question<Args, Answer>) => (...args: Args) => Answer;

const keepers = new WeakMap<Prepare, { untilCommit: Keep; whileAtRest: Keep }>();

/**
 * The query with its answers cached, if the connection caches answers; otherwise the query runs each time.
 */
export const kept = <Args extends unknown[], Answer>(sql: Prepare, question: Question<Args, Answer>) =>
  keepers.get(sql)?.untilCommit(question) ?? ((...args) => question(sql, ...args));

/**
 * Like `kept`, for a question about the execution given as the first argument. An answer is cached until a
 * commit changes what the store has recorded about that execution, so it must depend only on the execution's
 * messages and log lines.
 */
export const keptAtRest = <Args extends [About, ...unknown[]], Answer>(
  sql: Prepare,
  question: Question<Args, Answer>,
) => keepers.get(sql)?.whileAtRest(question) ?? ((...args: Args) => question(sql, ...args));

type About = string | { execution_id: string };

/**
 * A text that changes with every message and log line of an execution; undefined if other changes may affect
 * the answers too.
 */
type Mark = (sql: Prepare, executionId: string) => string | undefined;

/**
 * Caches a store's answers until the next commit, since an assistant that watches a run usually queries an
 * unchanged store. An answer depends only on its statement and values, since everything that depends on the
 * time of the query is a value or is computed from rows. SQLite itself reports commits of other connections
 * (`PRAGMA data_version`), and the transaction keeps reading the state of that version. Only for a connection
 * that never writes. Rows are frozen because readers share them.
 */
export function keepAnswers(db: Connection, markOf: Mark = () => undefined) {
  const sql = preparer(db);
  // The present state of the store. A statement whose cached answers belong to an earlier state discards them.
  let state = { version: undefined as number | undefined, count: 0 };
  const keeping = <Row>(ask: (...values: unknown[]) => Row): ((...values: unknown[]) => Row) => {
    let answers = new Map<unknown, Row>();
    let of = state;
    return (...values) => {
      // Outside a transaction, it is unknown which state of the store an answer belongs to.
      if (!db.inTransaction) return ask(...values);
      if (of !== state) {
        answers = new Map();
        of = state;
      }
      const key = values.length === 1 ? keyOf(values[0]) : JSON.stringify(values);
      const before = answers.get(key);
      if (before !== undefined || answers.has(key)) return before as Row;
      const answer = ask(...values);
      if (Array.isArray(answer) && answer.length > maxRows) return answer;
      if (state.count >= maxAnswers) state = { version: state.version, count: 0 };
      state.count += 1;
      answers.set(key, frozen(answer));
      return answer;
    };
  };
  const keepingStatement = onceFor(
    (statement: Prepared<unknown>) =>
      Object.fromEntries(
        Object.entries(statement).map(([name, ask]) => [name, name === 'run' ? ask : keeping(ask)]),
      ) as unknown as Prepared<unknown>,
  );
  const keepingSql = ((text: string) => keepingStatement(sql(text))) as Prepare;
  const keepingQuestion = onceFor((question: Question<unknown[], unknown>) =>
    keeping((...args) => question(keepingSql, ...args)),
  );
  const markNow = (about: About) =>
    db.inTransaction ? markOf(keepingSql, typeof about === 'string' ? about : about.execution_id) : undefined;
  const keepingAtRest = onceFor((question: Question<[About, ...unknown[]], unknown>) =>
    keeping(keptByMark((...args) => question(keepingSql, ...args), markNow) as (...values: unknown[]) => unknown),
  );
  keepers.set(keepingSql, { untilCommit: keepingQuestion as Keep, whileAtRest: keepingAtRest as unknown as Keep });
  return {
    /** The connection's statements, with their answers cached. */
    sql: keepingSql,
    /**
     * Call this at the beginning of each read transaction. Discards answers that a commit may have changed.
     */
    refresh() {
      const version = sql<number>('PRAGMA data_version').value();
      if (version !== state.version) state = { version, count: 0 };
    },
  };
}

export type KeptAnswers = ReturnType<typeof keepAnswers>;

/** A question about an execution, whose answers are cached as long as the execution has the same mark. */
function keptByMark(
  ask: (...args: [About, ...unknown[]]) => unknown,
  markNow: (about: About) => string | undefined,
): typeof ask {
  const before = new Map<string, { mark: string; answer: unknown }>();
  return (...args) => {
    const mark = markNow(args[0]);
    if (mark === undefined) return ask(...args);
    const key = JSON.stringify(args);
    const known = before.get(key);
    if (known?.mark === mark) return known.answer;
    const answer = frozen(ask(...args));
    setNewest(before, key, { mark, answer }, maxExecutions);
    return answer;
  };
}

/**
 * Objects are compared by content, since each query creates new objects for named values and rows. A frozen row
 * comes from the cache, so it is the same object each time.
 */
const keyOf = (value: unknown) => (typeof value !== 'object' || Object.isFrozen(value) ? value : JSON.stringify(value));

function frozen<T>(answer: T): T {
  if (Array.isArray(answer)) for (const row of answer) Object.freeze(row);
  return Object.freeze(answer);
}
