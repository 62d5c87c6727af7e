import { alarmsIn } from './logbook/alarms.ts';
import { judgementsUntil, notesOf, notesWritten, qualityOf } from './logbook/people.ts';
import type { Window } from './logbook/read-log.ts';
import { isWatched } from './logbook/watching.ts';
import type { LivenessTest } from './presence/leases.ts';
import type { Prepare } from './sqlite/statements.ts';

export const createLogbookQueries = (sql: Prepare, isAlive: LivenessTest) => ({
  /** The last notes about an execution, newest first. */
  notesOf: (executionId: string, most: number) => notesOf(sql, executionId, most),
  /** The last notes written in a time window, oldest first. */
  notesWritten: (window: Window) => notesWritten(sql, window),
  /** The quality of a run; undefined if nobody set it, or it was taken back. */
  qualityOf(executionId: string) {
    const quality = qualityOf(sql, executionId);
    return quality?.value === 'none' ? undefined : quality;
  },
  /** Every quality set until a time, oldest first, including `none`. */
  judgementsUntil: (window: Omit<Window, 'start_time'>) => judgementsUntil(sql, window),
  /** The alarms active in a time window, oldest first; a recurring alarm appears once per occurrence. */
  alarmsIn: (window: Window) => alarmsIn(sql, window),
  /** Whether "swf-mcp watch" runs on this store; undefined if it never did. @param now milliseconds since 1970 */
  isWatched: (now: number) => isWatched(sql, isAlive, now),
});
