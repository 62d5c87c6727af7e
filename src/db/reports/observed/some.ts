import type { Some } from '../../../monitoring/evidence.ts';
import type { Prepare } from '../../sqlite/statements.ts';

/** How many names to report. */
const named = 5;

/** The number of rows, and the names of the first. @param from the rest of a SELECT, from FROM on */
export function someOf(
  sql: Prepare,
  column: string,
  from: string,
  values: { id: string; before?: string | number },
): Some {
  const n = sql<[typeof values], { n: number }>(`SELECT count(*) AS n ${from}`).get(values)?.n ?? 0;
  if (n === 0) return { count: 0, ids: [] };
  const rows = sql<[typeof values], string>(`SELECT ${column} AS id ${from} ORDER BY seq LIMIT ${named}`);
  return { count: n, ids: rows.values(values) };
}
