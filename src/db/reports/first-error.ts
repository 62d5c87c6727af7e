import { indexPredicates } from '../migrations/index-predicates.ts';
import type { Prepare } from '../sqlite/statements.ts';

export interface FirstError {
  timestamp: string;
  agent: string;
  message: string;
  log_id: number;
}

/** The first error of an execution in the log. The driver's verdict, which repeats a reason, is none. */
export function firstError(sql: Prepare, executionId: string): FirstError | undefined {
  return sql<[string], FirstError>(
    `SELECT timestamp, agent, message, log_id FROM app_logs
     WHERE execution_id = ? AND ${indexPredicates.error} AND context ->> '$.verdict' IS NULL ORDER BY log_id LIMIT 1`,
  ).get(executionId);
}
