import { metaOf } from './log/store-identity.ts';
import { momentNamed } from './past/moment.ts';
import { createPastStore, type PastStore } from './past/past-store.ts';
import type { LivenessTest } from './presence/leases.ts';
import { createQueries, type Queries } from './queries.ts';
import type { Connection } from './sqlite/connection.ts';
import { preparer } from './sqlite/statements.ts';

export interface Past {
  queries: Queries;
  /** The moment's time, in milliseconds since 1970. */
  now: number;
  /** The moment as `TIME@MESSAGE_ID`, with which callers can return to it. */
  exact: string;
}

/**
 * Number of past stores to keep open: a user who steps through a run asks several questions about each moment.
 */
const maxKept = 2;

/** Past states of a store opened for reading. @param isAlive tests whether a process is currently alive */
export function createPasts(live: Connection, isAlive: LivenessTest) {
  const sql = preparer(live);
  let visited: (Past & { store: PastStore })[] = [];
  let asked: Promise<unknown> = Promise.resolve();
  let prunes: string | undefined;

  const close = () => {
    for (const { store } of visited) store.close();
    visited = [];
  };

  async function pastOf(asOf: string, present: number): Promise<Past> {
    const moment = momentNamed(sql, asOf, present);
    // A removed execution is removed from past states too.
    const prunesNow = metaOf(sql, 'prunes');
    if (prunesNow !== prunes) close();
    prunes = prunesNow;
    const { now, exact } = moment;
    const before = visited.find((one) => one.exact === exact) ?? visited.findLast(({ store }) => store.leadsTo(moment));
    visited = visited.filter((one) => one !== before);
    if (before?.exact === exact) {
      visited.push(before);
      return before;
    }
    const store = before?.store ?? createPastStore(live);
    try {
      const { db, isAliveThen } = await store.moveTo(moment, isAlive);
      const past = { store, queries: createQueries(db, isAliveThen), now, exact };
      visited.push(past);
      for (const old of visited.splice(0, Math.max(0, visited.length - maxKept))) old.store.close();
      return past;
    } catch (error) {
      // A half-built store would give wrong answers.
      store.close();
      throw error;
    }
  }

  return {
    /**
     * Asks a question about the store as it was at a moment: a time, a message id, or `TIME@MESSAGE_ID`.
     * Questions run one at a time, since the next one may be about another moment. Throws `ARGUMENT_INVALID` if
     * `asOf` is not a moment.
     * @param present milliseconds since 1970
     */
    ask<T>(asOf: string, present: number, question: (past: Past) => Promise<T> | T) {
      const answer = asked.then(async () => question(await pastOf(asOf, present)));
      asked = answer.catch(() => {});
      return answer;
    },
    close,
  };
}

export type Pasts = ReturnType<typeof createPasts>;
