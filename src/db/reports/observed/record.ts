import type { ExecutionStatus } from '../../../domain/states.ts';

/** A row of `observed_runs`. Milliseconds since 1970. */
export interface ObservedRecord {
  told_id: string;
  run_id: string;
  dialects: string;
  first_ms: number;
  last_ms: number;
  without_execution: number;
  results_repeated: number;
  results_unmatched: number;
  told_status: ExecutionStatus | null;
  told_by: string | null;
  told_ms: number | null;
  slices_told: number;
  slices_unsent: number;
  slices_unheard: number;
  read_ms: number | null;
}
