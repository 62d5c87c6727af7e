/** The attempts at slices that ended since the last one that was done: all of them failed. Times are milliseconds since 1970. */
export interface FailuresInARow {
  /** When the first of them failed. */
  since: number;
  attempts: number;
  /** When the last slice was done before; undefined where none ever was. */
  last_done: number | undefined;
}

/** Fewer attempts, or a shorter time, may be chance. */
const minAttempts = 10;
const minSeconds = 10;

/** Whether all that is tried fails. @param until now, or the end of the execution */
export const nothingSucceeds = (failing: FailuresInARow | undefined, until: number): failing is FailuresInARow =>
  failing !== undefined && failing.attempts >= minAttempts && until - failing.since >= minSeconds * 1000;
