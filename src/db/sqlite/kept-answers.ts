import type { Connection } from './connection.ts';
import { type Prepare, type Prepared, preparer } from './statements.ts';

/** More rows of one answer, and more answers, are not kept: a server that is asked about many executions must not grow for ever. */
const mostRows = 200;
const mostAnswers = 400;

/** A question that follows from the store and from plain arguments alone. */
type Question<Args extends unknown[], Answer> = (sql: Prepare, ...args: Args) => Answer;

type Keep = <Args extends unknown[], Answer>(question: Question<Args, Answer>) => (...args: Args) => Answer;

const keepers = new WeakMap<Prepare, Keep>();

/** The question with its answers kept where those of the connection are; it is asked anew elsewhere. */
export function kept<Args extends unknown[], Answer>(
  sql: Prepare,
  question: Question<Args, Answer>,
): (...args: Args) => Answer {
  return keepers.get(sql)?.(question) ?? ((...args) => question(sql, ...args));
}

export interface KeptAnswers {
  /** The statements of the connection, whose answers are kept. */
  sql: Prepare;
  /** To be called at the beginning of each transaction that only reads: forgets what a commit may have changed. */
  refresh(): void;
}

/**
 * Keeps what a store has answered until somebody commits: most of the questions of an assistant that watches a run are about a store that has
 * not changed. An answer depends on its statement and values alone, since everything that depends on the time of asking is a value or is
 * computed from rows. SQLite itself tells of commits of other connections (`PRAGMA data_version`), and the transaction holds the state that
 * the version is of. Only for a connection that never writes. Rows are frozen: many readers have the same.
 */
export function keepAnswers(db: Connection): KeptAnswers {
  const sql = preparer(db);
  const known = new Map<string, Prepared<unknown[], unknown>>();
  // The state that answers are of. A statement forgets its answers when it is asked in another one.
  let state = { version: undefined as number | undefined, count: 0 };
  const keeping = <Row>(ask: (values: unknown[]) => Row): ((...values: unknown[]) => Row) => {
    let answers = new Map<unknown, Row>();
    let of = state;
    return (...values) => {
      // Outside of a transaction nothing says which state an answer is of.
      if (!db.inTransaction) return ask(values);
      if (of !== state) {
        answers = new Map();
        of = state;
      }
      // A row that is kept is the same object each time.
      const key = values.length === 1 ? values[0] : JSON.stringify(values);
      const before = answers.get(key);
      if (before !== undefined || answers.has(key)) return before as Row;
      const answer = ask(values);
      if (Array.isArray(answer) && answer.length > mostRows) return answer;
      if (state.count >= mostAnswers) state = { version: state.version, count: 0 };
      state.count += 1;
      answers.set(key, frozen(answer));
      return answer;
    };
  };
  const keepingSql: Prepare = <Parameters extends unknown[], Row>(text: string) => {
    let prepared = known.get(text);
    if (prepared === undefined) {
      const statement = sql<unknown[]>(text);
      prepared = {
        get: keeping((values) => statement.get(...values)),
        all: keeping((values) => statement.all(...values)),
        run: (...values) => statement.run(...values),
      };
      known.set(text, prepared);
    }
    return prepared as unknown as Prepared<Parameters, Row>;
  };
  const questions = new Map<unknown, (...args: unknown[]) => unknown>();
  keepers.set(keepingSql, ((question: Question<unknown[], unknown>) => {
    const asked = questions.get(question) ?? keeping((args) => question(keepingSql, ...args));
    questions.set(question, asked);
    return asked;
  }) as Keep);
  return {
    sql: keepingSql,
    refresh() {
      const version = sql<[], { data_version: number }>('PRAGMA data_version').get()?.data_version;
      if (version !== state.version) state = { version, count: 0 };
    },
  };
}

function frozen<T>(answer: T): T {
  if (Array.isArray(answer)) for (const row of answer) Object.freeze(row);
  return Object.freeze(answer);
}
