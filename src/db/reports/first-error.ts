import type { Evidence } from '../../monitoring/evidence.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { jsonField } from '../sqlite/json-field.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** The first error line of an execution. The driver's lines about its end do not count: they repeat a reason, or say why the driver left. */
export const firstError = (sql: Prepare, executionId: string): Evidence['first_error'] =>
  sql<[string], NonNullable<Evidence['first_error']>>(
    `SELECT timestamp, agent, message, log_id FROM app_logs
     WHERE execution_id = ? AND ${indexPredicates.error} AND ${jsonField('context', 'verdict')} IS NULL
       AND ${jsonField('context', 'driver_ended')} IS NULL ORDER BY log_id LIMIT 1`,
  ).get(executionId);
