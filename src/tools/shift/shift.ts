import type { ListedExecution } from '../../db/lists/executions.ts';
import type { ExecutionStatus, Health } from '../../domain/states.ts';

/** The time of a shift, ISO 8601. */
export interface Shift {
  start_time: string;
  end_time: string;
  namespace: string | undefined;
}

/** An execution that lived in a shift. */
export interface ShiftExecution {
  row: ListedExecution;
  /** At the end of the shift, as the counts. */
  status: ExecutionStatus;
  /** Undefined where it outlived a shift of the past: nobody knows how it did then. */
  health: Health | undefined;
  /** Wall time up to the end of the shift. */
  duration_seconds: number;
  stf_count: number;
  slices_created: number;
  slices_completed: number;
  /** Slices that stay failed. */
  stay_failed: number;
  /** Sentences about one that runs. */
  findings: readonly { severity: string; code: string; sentence: string }[];
}

/** Something that somebody did. */
export interface Deed {
  time: string;
  name: string;
  /** The one who claims that name. */
  sent_by?: string;
  did: string;
  execution_id: string;
  reason: string | undefined;
}
