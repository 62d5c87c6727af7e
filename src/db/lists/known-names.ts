import { numberOf } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** Names and numbers that a store knows, for completion and for errors that list valid names. */

/** The namespaces of executions. */
export const namespacesOf = (sql: Prepare): string[] =>
  sql<[], string>('SELECT DISTINCT namespace FROM workflow_executions ORDER BY namespace').values();

/** The newest run numbers. */
export const recentRunNumbers = (sql: Prepare): number[] =>
  sql<[], number>(
    'SELECT run_number FROM workflow_executions WHERE run_number IS NOT NULL ORDER BY seq DESC LIMIT 5',
  ).values();

/** Whether a run was made here, or any message, with or without effect, names it. */
export function runIsKnown(sql: Prepare, runNumber: number): boolean {
  if (sql<[number]>('SELECT 1 FROM workflow_executions WHERE run_number = ?').has(runNumber)) return true;
  return sql<[string]>(`SELECT 1 FROM message_rows WHERE run_no = ${numberOf('?')} LIMIT 1`).has(String(runNumber));
}

/** Whether any message, with or without effect, names this execution. */
export const executionIsMentioned = (sql: Prepare, executionId: string): boolean =>
  sql<[string]>(`SELECT 1 FROM message_rows WHERE execution_no = ${numberOf('?')} LIMIT 1`).has(executionId);
