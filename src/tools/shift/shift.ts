import type { ListedExecution } from '../../db/lists/executions.ts';
import type { ExecutionStatus, Health } from '../../domain/states.ts';
import type { Finding } from '../../monitoring/findings/rule.ts';

/** The time of a shift, ISO 8601. */
export interface Shift {
  start_time: string;
  end_time: string;
  namespace: string | undefined;
}

/** Whether a shift ended before a time, in milliseconds since 1970. Nothing that came after its end is reported. */
export const isOver = ({ end_time }: Shift, now: number): boolean => Date.parse(end_time) < now;

/** Most messages to read again for a report of the past, so that it takes seconds. */
export const maxReplayed = 60_000;

export interface ShiftExecution {
  row: ListedExecution;
  /** At the end of the shift, like the counts. */
  status: ExecutionStatus;
  /** Undefined if it outlived a past shift and was not read again. */
  health: Health | undefined;
  /** Seconds since its driver was last heard; undefined if it has a driver or has ended. */
  silent_seconds?: number | undefined;
  /** Wall time up to the end of the shift. */
  duration_seconds: number;
  stf_count: number;
  slices_created: number;
  slices_completed: number;
  stay_failed: number;
  /** Findings about a running execution. */
  findings: readonly Pick<Finding, 'severity' | 'code' | 'sentence' | 'causes'>[];
}

export interface PersonAction {
  time: string;
  name: string;
  /** The sender who claims that name. */
  sent_by?: string;
  did: string;
  execution_id: string;
  reason: string | undefined;
}

/**
 * At most `most` actions, in order of time. If there are more, it prefers commands to starts, and later actions to earlier ones: a stop must not be
 * hidden behind the starts of a night.
 */
export function mostTelling(actions: readonly PersonAction[], most: number): PersonAction[] {
  const latest = actions.toReversed();
  const isStart = ({ did }: PersonAction): boolean => did === 'started';
  const chosen = [...latest.filter((action) => !isStart(action)), ...latest.filter(isStart)].slice(0, most);
  return actions.filter((action) => chosen.includes(action));
}
