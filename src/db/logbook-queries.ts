import { alarmsIn, openAlarms } from './logbook/alarms.ts';
import { judgementsUntil, notesOf, notesWritten, qualityOf } from './logbook/people.ts';
import type { Window } from './logbook/read-log.ts';
import { isWatched } from './logbook/watching.ts';
import type { LivenessTest } from './presence/leases.ts';
import type { Prepare } from './sqlite/statements.ts';

export const createLogbookQueries = (sql: Prepare, isAlive: LivenessTest) => ({
  notesOf: (executionId: string, most: number) => notesOf(sql, executionId, most),
  notesWritten: (window: Window) => notesWritten(sql, window),
  /** The quality of a run; undefined if nobody set it, or it was taken back. */
  qualityOf(executionId: string) {
    const quality = qualityOf(sql, executionId);
    return quality?.value === 'none' ? undefined : quality;
  },
  judgementsUntil: (window: Omit<Window, 'start_time'>) => judgementsUntil(sql, window),
  alarmsIn: (window: Window) => alarmsIn(sql, window),
  openAlarms: () => openAlarms(sql),
  isWatched: (now: number) => isWatched(sql, isAlive, now),
});
