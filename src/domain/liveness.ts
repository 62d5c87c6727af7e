/**
 * The only rule that decides who is silent. Processes and agents send a sign of life every few seconds; the age
 * of the last one shows their condition. Durations are seconds of wall time.
 */

/** The time between two signs of life. */
export const beatSeconds = 5;

/**
 * Three signs of life are missing: a process is stopped, its machine is overloaded, or the connection is lost.
 * The last report of the process may no longer be true.
 */
export const lateSeconds = 15;

/** Six signs of life are missing: a process on this host will not recover without intervention. */
const silentSeconds = 30;

/** After this time, a silent process on another host counts as gone, and its work in progress as lost. */
export const goneSeconds = 60;

/**
 * A worker that sends no reports about itself, such as another program's worker, counts as working on a slice
 * for at most this long.
 */
export const strangerSeconds = 600;

/** The clocks of two processes may differ by this much. */
const toleratedAhead = 5;

/**
 * The seconds by which a recorded time is ahead of the local clock; 0 up to `toleratedAhead`. If a time is
 * ahead, its age is unknown.
 * @param recorded in milliseconds since 1970, as is `now`
 */
export function secondsAhead(recorded: number, now: number) {
  const ahead = (recorded - now) / 1000;
  return ahead > toleratedAhead ? ahead : 0;
}

type Liveness = 'heard' | 'late' | 'silent' | 'gone';

/**
 * The liveness of a process or agent.
 * @param lastSign when the process or agent was last heard from, ISO 8601
 * @param now in milliseconds since 1970
 */
export function livenessOf(lastSign: string, now: number): Liveness {
  const age = (now - Date.parse(lastSign)) / 1000;
  if (age < lateSeconds) return 'heard';
  if (age < silentSeconds) return 'late';
  return age < goneSeconds ? 'silent' : 'gone';
}
