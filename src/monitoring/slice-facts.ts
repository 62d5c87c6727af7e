import type { Evidence, Some } from './evidence.ts';
import type { Facts } from './facts.ts';

/** How the slices of an execution fare. */
export interface SliceFacts
  extends
    Pick<
      Evidence,
      'execution_id' | 'first_failure' | 'causes' | 'concentration' | 'by_worker' | 'slowest' | 'slow_slots' | 'slower'
    >,
    Pick<Facts, 'status' | 'counts' | 'delays' | 'failing'> {
  /** Failed slices; `isFinal` if none of them is tried again. */
  failed: Some & { isFinal: boolean };
  /** Now, or the end of the execution. In milliseconds since 1970. */
  until: number;
}

/** The attempts that ended since the last slice was done: all failed. Times are milliseconds since 1970. */
export interface FailuresInARow {
  /** When the first of them failed; of many, the first one examined. */
  since: number;
  attempts: number;
  /** More failed before that were not examined. */
  isMore: boolean;
  /** How many of them were first attempts at their slices. */
  firstAttempts: number;
  /** When the last slice before them was done; undefined if that was not found or none ever was. */
  last_done: number | undefined;
}

/** Fewer attempts, or a shorter time, may be chance. */
const minAttempts = 10;
const minSeconds = 10;

/** If only slices that failed before are left, their retries fail again, which says nothing about others. */
const minFirstAttempts = 5;

/** Whether every attempt fails. @param until now, or the end of the execution */
export const nothingSucceeds = (failing: FailuresInARow | undefined, until: number): failing is FailuresInARow =>
  failing !== undefined &&
  failing.attempts >= minAttempts &&
  failing.firstAttempts >= minFirstAttempts &&
  until - failing.since >= minSeconds * 1000;
