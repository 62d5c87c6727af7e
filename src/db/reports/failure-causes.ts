import { causeOf } from '../../domain/causes.ts';
import type { FailureCause } from '../../monitoring/evidence.ts';
import { attemptsLookedAt } from '../../monitoring/findings/rule.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** Why attempts of an execution failed, the most frequent cause first, among its first 1,000 that failed. */
export function failureCauses(sql: Prepare, executionId: string): FailureCause[] {
  const rows = sql<[string, string, number], { error: string | null }>(
    `SELECT substr(error, 1, 1000) AS error FROM (
       SELECT error FROM earlier_attempts WHERE execution_id = ? AND state = 'failed'
       UNION ALL SELECT error FROM tf_slices INDEXED BY tf_slices_open
         WHERE execution_id = ? AND status = 'failed' AND ${indexPredicates.openSlice}) LIMIT ?`,
  ).all(executionId, executionId, attemptsLookedAt);
  const counts = new Map<string, number>();
  for (const { error } of rows) {
    const cause = causeOf(error ?? 'failed without a reason');
    counts.set(cause, (counts.get(cause) ?? 0) + 1);
  }
  return [...counts].map(([cause, attempts]) => ({ cause, attempts })).toSorted((a, b) => b.attempts - a.attempts);
}
