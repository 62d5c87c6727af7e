import { numberOf } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** Usually a message is recorded within milliseconds, and over a broker within seconds. */
const usualDelay = 10_000;

const ofExecution = `FROM message_rows WHERE execution_no = ${numberOf('$id')}`;

/**
 * As SQL: the first conditions are the same for all rows, so an execution that was recorded in time is not read, nor one of this store, of which the
 * recorder's times count.
 */
const lateRow = `SELECT 1 ${ofExecution} AND (SELECT recorded_ms ${ofExecution} ORDER BY seq DESC LIMIT 1) > $until
  AND (SELECT headers ${ofExecution} ORDER BY seq LIMIT 1) IS NOT NULL
  AND sent_ms >= $from AND sent_ms < $until AND recorded_ms > $until AND recorded_ms - sent_ms > ${usualDelay} ORDER BY seq DESC LIMIT 1`;

/**
 * Whether a message of another program was sent between two times but recorded only later, as after a cut line.
 * @param from @param until in milliseconds since 1970
 */
export const isAnyRecordedLate = (sql: Prepare, id: string, from: number, until: number): boolean =>
  sql<[{ id: string; from: number; until: number }]>(lateRow).has({ id, from, until });
