import type { Some } from '../../../monitoring/evidence.ts';
import type { Prepare } from '../../sqlite/statements.ts';

/** How many names to report. */
const named = 5;

/** The number of rows, and the names of the first. @param from the rest of a SELECT, from FROM on */
export function someOf(sql: Prepare, column: string, from: string, values: object): Some {
  const count = sql<[object], number>(`SELECT count(*) ${from}`).value(values) ?? 0;
  const rows = sql<[object], string>(`SELECT ${column} ${from} ORDER BY seq LIMIT ${named}`);
  return { count, ids: count === 0 ? [] : rows.values(values) };
}
