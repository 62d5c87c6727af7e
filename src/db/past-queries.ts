import { metaOf } from './log/store-identity.ts';
import { momentNamed } from './past/moment.ts';
import { PastStore } from './past/past-store.ts';
import type { LivenessTest } from './presence/leases.ts';
import { createQueries, type Queries } from './queries.ts';
import type { Connection } from './sqlite/connection.ts';
import { preparer } from './sqlite/statements.ts';

/** A store as it was at a moment. */
export interface Past {
  queries: Queries;
  /** The time of its clock, in milliseconds since 1970. */
  now: number;
  /** The moment as `TIME@MESSAGE_ID`, by which callers can return to it. */
  exact: string;
}

interface Visited extends Past {
  store: PastStore;
}

/** How many past stores to keep: a user who steps through a run asks several questions about each moment. */
const maxKept = 2;

/** Past states of a store opened for reading. @param isAlive whether a process is alive now */
export class Pasts {
  readonly #live: Connection;
  readonly #isAlive: LivenessTest;
  readonly #visited: Visited[] = [];
  #asked: Promise<unknown> = Promise.resolve();
  #prunes: string | undefined;

  constructor(live: Connection, isAlive: LivenessTest) {
    this.#live = live;
    this.#isAlive = isAlive;
  }

  /**
   * Asks the store as it was at a moment: a time, a message id, or `TIME@MESSAGE_ID`. Questions run one at a time, since the next may be about another moment.
   * Throws `ARGUMENT_INVALID` if `asOf` names no moment.
   * @param present milliseconds since 1970
   */
  ask<T>(asOf: string, present: number, question: (past: Past) => Promise<T> | T): Promise<T> {
    const answer = this.#asked.then(async () => question(await this.#at(asOf, present)));
    this.#asked = answer.catch(() => {});
    return answer;
  }

  close(): void {
    for (const { store } of this.#visited.splice(0)) store.close();
  }

  async #at(asOf: string, present: number): Promise<Past> {
    const sql = preparer(this.#live);
    const moment = momentNamed(sql, asOf, present);
    // A removed execution is gone from past states, too.
    const prunes = metaOf(sql, 'prunes');
    if (prunes !== this.#prunes) this.close();
    this.#prunes = prunes;
    const { now, exact } = moment;
    const same = this.#visited.findIndex((one) => one.exact === exact);
    const [known] = same < 0 ? [] : this.#visited.splice(same, 1);
    if (known !== undefined) {
      this.#visited.push(known);
      return known;
    }
    const from = this.#visited.findLastIndex(({ store }) => store.leadsTo(moment));
    const [before] = from < 0 ? [] : this.#visited.splice(from, 1);
    const store = before?.store ?? new PastStore(this.#live);
    try {
      const { db, isAliveThen } = await store.moveTo(moment, this.#isAlive);
      const past = { store, queries: createQueries(db, isAliveThen), now, exact };
      this.#visited.push(past);
      for (const old of this.#visited.splice(0, Math.max(0, this.#visited.length - maxKept))) old.store.close();
      return past;
    } catch (error) {
      // A half-built store gives wrong answers.
      store.close();
      throw error;
    }
  }
}
