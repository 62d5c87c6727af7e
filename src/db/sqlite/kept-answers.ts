import type { Connection } from './connection.ts';
import { type Prepare, type Prepared, preparer } from './statements.ts';

/** More rows of one answer, and more answers, are not kept: a server that is asked about many executions must not grow for ever. */
const mostRows = 200;
const mostAnswers = 400;

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
    let kept = new Map<unknown, Row>();
    let of = state;
    return (...values) => {
      // Outside of a transaction nothing says which state an answer is of.
      if (!db.inTransaction) return ask(values);
      if (of !== state) {
        kept = new Map();
        of = state;
      }
      const key = values.length === 1 ? values[0] : JSON.stringify(values);
      const before = kept.get(key);
      if (before !== undefined || kept.has(key)) return before as Row;
      const answer = ask(values);
      if (Array.isArray(answer) && answer.length > mostRows) return answer;
      if (state.count >= mostAnswers) state = { version: state.version, count: 0 };
      state.count += 1;
      kept.set(key, frozen(answer));
      return answer;
    };
  };
  return {
    sql: <Parameters extends unknown[], Row>(text: string) => {
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
    },
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
