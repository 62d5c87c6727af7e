import { type CauseCount, countCauses } from '../../domain/causes.ts';
import { attemptsLookedAt } from '../../monitoring/findings/rule.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import type { Prepare } from '../sqlite/statements.ts';

/**
 * Why attempts of an execution failed, most frequent cause first, from 1,000 failures at most. If there are more, half are attempts that were
 * retried by now and half are not.
 */
export function failureCauses(sql: Prepare, executionId: string): CauseCount[] {
  const errorsOf = (from: string): string[] =>
    sql<[string, number], string | null>(`SELECT substr(error, 1, 1000) AS error FROM ${from} LIMIT ?`)
      .values(executionId, attemptsLookedAt)
      .map((error) => error ?? 'failed without a reason');
  const last = errorsOf(
    `tf_slices INDEXED BY tf_slices_open WHERE execution_id = ? AND status = 'failed' AND ${indexPredicates.openSlice}`,
  );
  const earlier = errorsOf(`earlier_attempts WHERE execution_id = ? AND state = 'failed'`);
  const half = attemptsLookedAt / 2;
  const looked = [
    ...last.slice(0, Math.max(half, attemptsLookedAt - earlier.length)),
    ...earlier.slice(0, Math.max(half, attemptsLookedAt - last.length)),
  ];
  return countCauses(looked);
}
