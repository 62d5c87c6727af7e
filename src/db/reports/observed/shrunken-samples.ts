import type { HeardFacts } from '../../../monitoring/heard-facts.ts';
import type { Prepare } from '../../sqlite/statements.ts';

/** How many TF files give the usual slice size, all of one STF. */
const measured = 7;

/** Later TF files whose largest slice is smaller than half the usual one. */
export function shrunkenSamples(sql: Prepare, executionId: string): HeardFacts['shrunken'] {
  const first = sql<[string], { largest: number; first_at: string; tf_filename: string }>(
    `SELECT largest, first_at, tf_filename FROM observed_samples WHERE execution_id = ? AND largest IS NOT NULL ORDER BY first_at, tf_filename LIMIT ${measured}`,
  ).all(executionId);
  const last = first.at(-1);
  if (first.length < measured || last === undefined) return undefined;
  const usual = first.map(({ largest }) => largest).toSorted((a, b) => a - b)[(measured - 1) / 2] ?? 0;
  const small = `FROM observed_samples WHERE execution_id = ? AND largest < ? AND (first_at, tf_filename) > (?, ?)`;
  const values: [string, number, string, string] = [executionId, usual / 2, last.first_at, last.tf_filename];
  const found = sql<typeof values, { count: number; largest: number | null }>(
    `SELECT count(*) AS count, max(largest) AS largest ${small}`,
  ).get(...values);
  const one = sql<typeof values, string>(`SELECT tf_filename ${small} ORDER BY first_at, tf_filename LIMIT 1`);
  const firstSmall = one.value(...values);
  if (found === undefined || firstSmall === undefined) return undefined;
  return { count: found.count, first: firstSmall, largest: found.largest ?? 0, usual };
}
