import type { ExecutionRow } from './answers.ts';

/** The ways to sort rows other than by time: each sorts by a number, largest first. */
export const orders: Readonly<Record<string, (row: ExecutionRow) => number>> = {
  took: ({ duration_seconds = 0 }) => duration_seconds,
  failed: ({ slices_failed = 0, stf_failed = 0 }) => slices_failed + stf_failed,
  slices: ({ slices_created = 0 }) => slices_created,
  STFs: ({ stf_count }) => stf_count,
};

/** Rows in the order chosen by the user: by default, running executions, then all others, each newest first. */
export function inOrder(rows: readonly ExecutionRow[], sort: string): ExecutionRow[] {
  const order = orders[sort];
  if (order !== undefined) return rows.toSorted((a, b) => order(b) - order(a));
  const isOver = ({ status }: ExecutionRow) => Number(status !== 'running');
  // A store lists executions in the order of recording, and an observed execution may have been recorded long
  // after it ran.
  return rows.toSorted((a, b) => isOver(a) - isOver(b) || Date.parse(b.start_time) - Date.parse(a.start_time));
}
