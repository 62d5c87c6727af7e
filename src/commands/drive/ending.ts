import type { Counts } from '../../domain/counts.ts';
import type { StageDelay } from '../../domain/stages.ts';

/** The end of a run in figures, as `run --json` prints it. `duration_seconds` is wall time. */
export interface Summary extends Pick<
  Counts,
  'stf_count' | 'tf_files_received' | 'slices_created' | 'slices_completed' | 'slices_failed'
> {
  execution_id: string;
  run_number: number;
  status: string;
  messages: number;
  duration_seconds: number;
}

export interface Ending {
  summary: Summary;
  reason: string | undefined;
  stfsReady: number;
  retries: number;
  /** Simulated seconds. */
  simulated: number | null;
  delays: StageDelay[];
}
