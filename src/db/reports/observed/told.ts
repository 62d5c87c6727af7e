import type { ExecutionStatus } from '../../../domain/states.ts';
import type { Some } from '../../../monitoring/evidence.ts';
import { nextStepSeconds, type ObservedFacts } from '../../../monitoring/observed/facts.ts';
import type { Prepare } from '../../sqlite/statements.ts';
import { someOf } from './some.ts';

/** A row of `observed_runs`. Milliseconds since 1970. */
export interface ObservedRecord extends Pick<
  ObservedFacts,
  'told_id' | 'run_id' | 'without_execution' | 'results_repeated' | 'results_unmatched' | 'slices_told'
> {
  dialects: string;
  first_ms: number;
  last_ms: number;
  told_status: ExecutionStatus | null;
  told_by: string | null;
  told_ms: number | null;
  slices_unsent: number;
  slices_unheard: number;
  read_ms: number | null;
}

/** The last status told by REST; undefined if none was. */
export function toldOf({ told_status, told_by, told_ms }: ObservedRecord): ObservedFacts['told'] {
  if (told_status === null || told_ms === null) return undefined;
  return { status: told_status, at: told_ms, by: told_by ?? undefined };
}

/** Whether a message about the run or its files was heard. */
export const isBusHeard = (sql: Prepare, id: string): boolean =>
  sql<[string]>(`SELECT 1 FROM observed_files WHERE execution_id = ? AND kind NOT LIKE 'told%' LIMIT 1`).has(id);

/** Slices that were registered a while ago and were not sent. @param until milliseconds since 1970 */
export function unsentSlices(sql: Prepare, executionId: string, until: number): Some {
  const from = `FROM told_slices AS t CROSS JOIN message_rows AS m USING (seq)
    WHERE t.execution_id = $id AND m.sent_ms < $before
      AND NOT EXISTS (SELECT 1 FROM tf_slices AS s WHERE s.slice_filename = t.slice_filename AND s.execution_id = t.execution_id)`;
  return someOf(sql, 't.slice_filename', from, { id: executionId, before: until - nextStepSeconds * 1000 });
}
