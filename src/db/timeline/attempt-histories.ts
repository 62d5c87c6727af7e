import type { Prepare } from '../sqlite/statements.ts';
import { AttemptHistory } from './attempt-history.ts';

/** Attempts to keep in memory, over all executions: about 30 MB. */
const maxAttempts = 500_000;

/** The history of an execution. Call it in a snapshot. */
export type HistoryOf = (executionId: string) => AttemptHistory;

/** Keeps the histories of the most recently asked executions. */
export function rememberHistories(sql: Prepare): HistoryOf {
  /** In the order of use, most recent last. */
  const known = new Map<string, AttemptHistory>();
  return (executionId) => {
    const before = known.get(executionId);
    const history = before === undefined || before.isOutdated() ? new AttemptHistory(sql, executionId) : before;
    known.delete(executionId);
    known.set(executionId, history);
    forgetOldest(known);
    return history;
  };
}

function forgetOldest(known: Map<string, AttemptHistory>): void {
  let attempts = 0;
  for (const [id, { columns }] of [...known].toReversed()) {
    attempts += columns.length;
    if (attempts > maxAttempts && attempts > columns.length) known.delete(id);
  }
}
