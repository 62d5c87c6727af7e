/**
 * One rule for silence. Processes and agents send a sign of life every few seconds; the age of the last one
 * shows their condition. Durations are seconds of wall time.
 */

/** Between two signs of life. */
export const beatSeconds = 5;

/**
 * Three signs are missing: a process is stopped, its machine is overloaded, or the line is cut. Its
 * statements no longer hold.
 */
export const lateSeconds = 15;

/** Six are missing: a process on this host will not recover without intervention. */
const silentSeconds = 30;

/** A process on another host is gone, and its work in hand is lost. */
export const goneSeconds = 60;

/**
 * A worker that does not report itself, such as a foreign one, counts as working on a slice for this long at
 * most.
 */
export const strangerSeconds = 600;

/** Clocks of two processes may differ by this much. */
const toleratedAhead = 5;

/**
 * By how many seconds a recorded time is ahead of the local clock; 0 if clocks may differ by that much. If it is
 * ahead, its age is unknown.
 * @param recorded in milliseconds since 1970, as is `now`
 */
export function secondsAhead(recorded: number, now: number): number {
  const ahead = (recorded - now) / 1000;
  return ahead > toleratedAhead ? ahead : 0;
}

type Liveness = 'heard' | 'late' | 'silent' | 'gone';

/**
 * The liveness of a process or agent by when it was last heard from, ISO 8601.
 * @param now in milliseconds since 1970
 */
export function livenessOf(lastSign: string, now: number): Liveness {
  const age = (now - Date.parse(lastSign)) / 1000;
  if (age < lateSeconds) return 'heard';
  if (age < silentSeconds) return 'late';
  return age < goneSeconds ? 'silent' : 'gone';
}
