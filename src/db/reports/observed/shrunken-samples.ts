import type { ObservedFacts } from '../../../monitoring/observed/facts.ts';
import type { Prepare } from '../../sqlite/statements.ts';

/** TF files from which the usual size of a slice is taken: those of one STF. */
const measured = 7;

/** TF files whose largest slice is under half of the usual one, from a later one on. */
export function shrunkenSamples(sql: Prepare, executionId: string): ObservedFacts['shrunken'] {
  const rows = sql<[string], { tf_filename: string; largest: number }>(
    'SELECT tf_filename, largest FROM observed_samples WHERE execution_id = ? AND largest IS NOT NULL ORDER BY first_at, tf_filename',
  ).all(executionId);
  const first = rows.slice(0, measured).map(({ largest }) => largest);
  if (first.length < measured) return undefined;
  const usual = first.toSorted((a, b) => a - b)[(measured - 1) / 2] ?? 0;
  const small = rows.slice(measured).filter(({ largest }) => largest < usual / 2);
  const [one] = small;
  if (one === undefined) return undefined;
  return {
    count: small.length,
    first: one.tf_filename,
    largest: small.reduce((most, { largest }) => Math.max(most, largest), 0),
    usual,
  };
}
