import { indexPredicates } from '../migrations/index-predicates.ts';
import { numberOf, typeNumbers } from '../migrations/names.ts';
import { jsonField } from '../sqlite/json-field.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** Older take-ups do not count. Seconds. */
const windowSeconds = 600;

const driverTypes = ['driver_started', 'driver_ended', 'driver_lost'] as const;

/** How often an execution was recently taken up without producing a row. @param now milliseconds since 1970 */
export function fruitlessTakeUps(sql: Prepare, executionId: string, now = Date.now()): number {
  const last = sql<[string], number>(
    `SELECT seq FROM message_rows WHERE execution_no = ${numberOf('?')} AND effect = 'applied'
       AND type_no NOT IN ${typeNumbers(driverTypes)} AND ${indexPredicates.exceptLogbook} ORDER BY seq DESC LIMIT 1`,
  ).value(executionId);
  return (
    sql<unknown[], number>(
      `SELECT count(*) FROM message_rows INDEXED BY message_rows_type
       WHERE execution_no = ${numberOf('?')} AND type_no = ${numberOf(`'driver_started'`)} AND effect = 'applied' AND seq > ? AND recorded_ms >= ?
         AND ${jsonField('body', 'epoch')} > 1`,
    ).value(executionId, last ?? 0, now - windowSeconds * 1000) ?? 0
  );
}
