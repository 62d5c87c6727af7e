import type { Prepare } from '../sqlite/statements.ts';
import { AttemptHistory } from './attempt-history.ts';

/** Attempts to keep in memory, over all executions: about 30 MB. */
const maxAttempts = 500_000;

/** The histories of the most recently asked executions. */
export class AttemptHistories {
  readonly #sql: Prepare;
  /** In the order of use, most recent last. */
  readonly #known = new Map<string, AttemptHistory>();

  constructor(sql: Prepare) {
    this.#sql = sql;
  }

  /** Call in a snapshot. */
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
      if (attempts > maxAttempts && attempts > columns.length) this.#known.delete(id);
    }
  }
}
