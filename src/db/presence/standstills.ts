import { indexPredicates } from '../migrations/index-predicates.ts';
import { jsonField } from '../sqlite/json-field.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import { tellExecutions } from './told-executions.ts';

/** A time in which a driver wrote nothing, though it lived. Times are ISO 8601. */
export interface Standstill {
  from: string;
  until: string;
  hostname: string;
}

/** Logs that a process has written nothing for a while. Returns the line, for people. @param from milliseconds since 1970, as `until` */
export function noteStandstill(tx: Transaction, processId: number, from: number, until: number): string {
  const seconds = Math.round((until - from) / 100) / 10;
  const start = new Date(from).toISOString();
  return tellExecutions(tx, processId, {
    at: until,
    message: `nothing was written for ${seconds} s, since ${start}: the process stood still, or the store could not be written`,
    context: { nothing_written_since: start },
  });
}

/** Standstills that are told. */
const most = 20;

/** The standstills of the drivers of an execution, in their order. */
export const standstillsOf = (sql: Prepare, executionId: string): Standstill[] =>
  sql<[string, number], Standstill>(
    `SELECT ${jsonField('context', 'nothing_written_since')} AS "from", timestamp AS until, ${jsonField('context', 'hostname')} AS hostname FROM app_logs
     WHERE execution_id = ? AND ${indexPredicates.error} AND ${jsonField('context', 'nothing_written_since')} IS NOT NULL ORDER BY log_id LIMIT ?`,
  ).all(executionId, most);
