/**
 * One rule for silence. Processes and agents say every few seconds that they live; how long ago the last word came tells how they are. Durations are
 * seconds of wall time.
 */

/** Between two signs of life. */
export const beatSeconds = 5;

/** Three signs are missing: a process is stopped, its machine is overwhelmed, or the line is cut. Its words hold no more. */
export const lateSeconds = 15;

/** Six are missing: one that works here is not coming back by itself. */
const silentSeconds = 30;

/** One of another host is gone, and what it had in hand is lost. */
export const goneSeconds = 60;

export type Liveness = 'heard' | 'late' | 'silent' | 'gone';

/** How somebody is, by the last sign of life. @param age of that sign, in seconds */
export function livenessAfter(age: number): Liveness {
  if (age < lateSeconds) return 'heard';
  if (age < silentSeconds) return 'late';
  return age < goneSeconds ? 'silent' : 'gone';
}

/** The same by the time of that sign, ISO 8601. @param now in milliseconds since 1970 */
export const livenessOf = (lastSign: string, now: number): Liveness =>
  livenessAfter((now - Date.parse(lastSign)) / 1000);
