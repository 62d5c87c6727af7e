import type { StageDelay } from '../../domain/stages.ts';
import { countMessages } from '../lists/message-counts.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** Counting stops here. */
const maxCounted = 10_000;

/** Counts the slices in hand when their execution was stopped or failed. They wait again, in an attempt that has begun. */
export const givenUpSlices = (sql: Prepare, executionId: string): number =>
  sql<[string], { n: number }>(
    `SELECT count(*) AS n FROM (
         SELECT 1 FROM tf_slices INDEXED BY tf_slices_open
         WHERE execution_id = ? AND status = 'queued' AND ${indexPredicates.openSlice} AND starts > 0 LIMIT ${maxCounted})`,
  ).get(executionId)?.n ?? 0;

/** Counts starts after the first of each attempt: every start is a message, and only the first has a delay. */
export function begunAgain(sql: Prepare, executionId: string, delays: readonly StageDelay[]): number {
  const first = delays.find(({ stage }) => stage === 'slice → slice_started')?.items ?? 0;
  return Math.max(0, (countMessages(sql, executionId).get('slice_started') ?? 0) - first);
}
