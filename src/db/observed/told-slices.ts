import type { ToldSlice } from '../../observed/reading/fact.ts';
import { type ObservedScope, type SaidFact, saidAt } from './said.ts';

/** Notes a slice's registration, made before it is sent or instead. */
export function noteRegistration({ sql, execution_id }: ObservedScope, sliceFilename: string, seq: number): void {
  const { changes } = sql(
    `INSERT INTO told_slices (execution_id, slice_filename, seq) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
  ).run(execution_id, sliceFilename, seq);
  if (changes === 0) return;
  const sent = sql<[string, string]>('SELECT 1 FROM tf_slices WHERE slice_filename = ? AND execution_id = ?');
  sql(
    'UPDATE observed_runs SET slices_told = slices_told + 1, slices_unsent = slices_unsent + ? WHERE execution_id = ?',
  ).run(sent.has(sliceFilename, execution_id) ? 0 : 1, execution_id);
}

/** Notes that a slice was sent. Its registration may have been read before. */
export function sentAfterTold({ sql, execution_id }: ObservedScope, sliceFilename: string): void {
  sql(
    `UPDATE observed_runs SET slices_unsent = slices_unsent - 1 WHERE execution_id = $execution_id
       AND EXISTS (SELECT 1 FROM told_slices AS t WHERE t.execution_id = $execution_id AND t.slice_filename = $slice)`,
  ).run({ execution_id, slice: sliceFilename });
}

/** The registration of a slice, or undefined. */
export function toldSlice({ tx, execution_id }: ObservedScope, sliceFilename: string): SaidFact<ToldSlice> | undefined {
  const seq = tx.sql<[string, string], number>(
    'SELECT seq FROM told_slices WHERE execution_id = ? AND slice_filename = ?',
  );
  return saidAt<ToldSlice>(tx, seq.value(execution_id, sliceFilename));
}
