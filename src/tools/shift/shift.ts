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
  /** At the end of the shift, like the counts. */
  status: ExecutionStatus;
  /** Undefined if it outlived a past shift and is too large to be read again. */
  health: Health | undefined;
  /** Wall time up to the end of the shift. */
  duration_seconds: number;
  stf_count: number;
  slices_created: number;
  slices_completed: number;
  /** Slices that stay failed. */
  stay_failed: number;
  /** Findings about a running execution. */
  findings: readonly { severity: string; code: string; sentence: string }[];
}

/** Something that somebody did. */
export interface PersonAction {
  time: string;
  name: string;
  /** The sender who claims that name. */
  sent_by?: string;
  did: string;
  execution_id: string;
  reason: string | undefined;
}
