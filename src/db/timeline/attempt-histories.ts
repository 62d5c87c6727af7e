import type { Prepare } from '../sqlite/statements.ts';
import { AttemptHistory } from './attempt-history.ts';

/** Attempts that are kept in memory, of all executions together: some 30 MB. */
const mostAttempts = 500_000;

/** The histories of the executions that were asked about last. */
export class AttemptHistories {
  readonly #sql: Prepare;
  /** The one that was asked about last stands last. */
  readonly #known = new Map<string, AttemptHistory>();

  constructor(sql: Prepare) {
    this.#sql = sql;
  }

  /** To be called in a snapshot. */
  of(executionId: string): AttemptHistory {
    const before = this.#known.get(executionId);
    const history = before === undefined || before.isOutdated() ? new AttemptHistory(this.#sql, executionId) : before;
    this.#known.delete(executionId);
    this.#known.set(executionId, history);
    this.#forgetOldest();
    return history;
  }

  #forgetOldest(): void {
    let attempts = 0;
    for (const [id, { columns }] of [...this.#known].toReversed()) {
      attempts += columns.length;
      if (attempts > mostAttempts && attempts > columns.length) this.#known.delete(id);
    }
  }
}
