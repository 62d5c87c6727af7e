import { alarmsIn } from './logbook/alarms.ts';
import { judgementsUntil, notesOf, notesWritten, qualityOf } from './logbook/people.ts';
import { isWatched } from './logbook/watching.ts';
import type { LivenessTest } from './presence/leases.ts';
import type { Prepare } from './sqlite/statements.ts';

type WindowArguments = Parameters<typeof notesWritten>[1];

export const createLogbookQueries = (sql: Prepare, isAlive: LivenessTest) => ({
  /** The last notes about an execution, newest first. */
  notesOf: (executionId: string, most: number) => notesOf(sql, executionId, most),
  /** The last notes written in a time window, oldest first. */
  notesWritten: (window: WindowArguments) => notesWritten(sql, window),
  /** The quality of a run; undefined if nobody set it, or it was taken back. */
  qualityOf(executionId: string) {
    const quality = qualityOf(sql, executionId);
    return quality?.value === 'none' ? undefined : quality;
  },
  /** Every quality set until a time, oldest first, including `none`. */
  judgementsUntil: (window: Pick<WindowArguments, 'end_time' | 'namespace'>) => judgementsUntil(sql, window),
  /** The alarms active in a time window, oldest first; a recurring alarm appears once per occurrence. */
  alarmsIn: (window: WindowArguments) => alarmsIn(sql, window),
  /** Whether "swf-mcp watch" runs on this store; undefined if it never did. @param now milliseconds since 1970 */
  isWatched: (now: number) => isWatched(sql, isAlive, now),
});
