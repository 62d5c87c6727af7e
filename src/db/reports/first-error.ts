import { indexPredicates } from '../migrations/index-predicates.ts';
import { jsonField } from '../sqlite/json-field.ts';
import type { Prepare } from '../sqlite/statements.ts';

export interface FirstError {
  timestamp: string;
  agent: string;
  message: string;
  log_id: number;
}

/** The first error of an execution in the log. A line of the driver about its end is none: it repeats a reason, or tells why
 * the driver left. */
export function firstError(sql: Prepare, executionId: string): FirstError | undefined {
  return sql<[string], FirstError>(
    `SELECT timestamp, agent, message, log_id FROM app_logs
     WHERE execution_id = ? AND ${indexPredicates.error} AND ${jsonField('context', 'verdict')} IS NULL
       AND ${jsonField('context', 'driver_ended')} IS NULL ORDER BY log_id LIMIT 1`,
  ).get(executionId);
}
