import { executionOfRun } from '../execution/find-execution.ts';
import { openRemovals } from '../log/removals.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Condition } from './list-query.ts';
import type { Window } from './page.ts';

/** The execution whose rows are wanted: by its id, its run, or both. */
export interface OfExecution {
  execution_id?: string | undefined;
  run_number?: number | undefined;
}

/**
 * The conditions `execution` and, if both are given, `run`. A run is found by its execution, so that one index serves both.
 * @param table prefix of the column, if another table has a column of the same name
 */
export function ofExecution(
  sql: Prepare,
  { execution_id, run_number }: OfExecution,
  table = '',
): Record<'execution' | 'run', Condition> {
  const isBoth = execution_id !== undefined && run_number !== undefined;
  const id = execution_id ?? (run_number === undefined ? undefined : (executionOfRun(sql, run_number) ?? ''));
  return { execution: [`${table}execution_id = ?`, id], run: ['run_number = ?', isBoth ? run_number : undefined] };
}

/**
 * A count kept for each run, of one execution or of all together. Undefined if rows must be counted: there are other conditions, or an execution is
 * being removed, whose count goes before its rows.
 */
export function keptCount(
  sql: Prepare,
  column: string,
  { execution_id, run_number, start_time, end_time }: OfExecution & Window,
  others: readonly unknown[],
): number | undefined {
  if ([start_time, end_time, ...others].some((value) => value !== undefined)) return undefined;
  if (execution_id !== undefined && run_number !== undefined) return undefined;
  if (execution_id === undefined && run_number === undefined) {
    if (openRemovals(sql).length > 0) return undefined;
    return sql<[], number>(`SELECT CAST(total(${column}) AS INTEGER) FROM run_states`).value();
  }
  const id = execution_id ?? executionOfRun(sql, run_number as number) ?? '';
  return sql<[string], number>(`SELECT ${column} FROM run_states WHERE execution_id = ?`).value(id);
}
