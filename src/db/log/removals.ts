import type { Prepare } from '../sqlite/statements.ts';

/** An execution whose removal has begun, and its folder of data files where that is to go too. */
export interface Removal {
  execution_id: string;
  data_folder: string | null;
}

/** Removals that were interrupted: to be finished first. */
export function openRemovals(sql: Prepare): Removal[] {
  return sql<[], Removal>('SELECT execution_id, data_folder FROM removals WHERE removed_at IS NULL').all();
}

/** Whether an execution was here once and has been removed. */
export function isRemoved(sql: Prepare, executionId: string): boolean {
  return sql<[string]>('SELECT 1 FROM removals WHERE execution_id = ?').get(executionId) !== undefined;
}
