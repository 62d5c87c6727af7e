/** The attempts at slices that ended since the last one that was done: all of them failed. Times are milliseconds since 1970. */
export interface FailuresInARow {
  /** When the first of them failed; of many, of those that were looked at. */
  since: number;
  attempts: number;
  /** More failed before; they were not looked at. */
  isMore: boolean;
  /** Those of them that were the first at their slices. */
  firstAttempts: number;
  /** When the last slice was done before; undefined where that was not found, and where none ever was. */
  last_done: number | undefined;
}

/** Fewer attempts, or a shorter time, may be chance. */
const minAttempts = 10;
const minSeconds = 10;

/** Where only slices are left that failed before, their retries fail again: that says nothing of others. */
const minFirstAttempts = 5;

/** Whether all that is tried fails. @param until now, or the end of the execution */
export const nothingSucceeds = (failing: FailuresInARow | undefined, until: number): failing is FailuresInARow =>
  failing !== undefined &&
  failing.attempts >= minAttempts &&
  failing.firstAttempts >= minFirstAttempts &&
  until - failing.since >= minSeconds * 1000;
