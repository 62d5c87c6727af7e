import { alarmsIn } from './logbook/alarms.ts';
import { judgementsUntil, notesOf, notesWritten, qualityOf } from './logbook/people.ts';
import { isWatched } from './logbook/watching.ts';
import type { LivenessTest } from './presence/leases.ts';
import type { Prepare } from './sqlite/statements.ts';

type WindowArguments = Parameters<typeof notesWritten>[1];

/** Questions about notes, quality and alarms. */
export const createLogbookQueries = (sql: Prepare, isAlive: LivenessTest) => ({
  /** The last notes about an execution, newest first. */
  notesOf: (executionId: string, most: number) => notesOf(sql, executionId, most),
  /** The last notes that were written in a time, oldest first. */
  notesWritten: (window: WindowArguments) => notesWritten(sql, window),
  /** The quality of a run; undefined where nobody has set it, or has taken it back. */
  qualityOf(executionId: string) {
    const quality = qualityOf(sql, executionId);
    return quality?.value === 'none' ? undefined : quality;
  },
  /** Every quality that was set up to a time, oldest first, `none` among them. */
  judgementsUntil: (window: Pick<WindowArguments, 'end_time' | 'namespace'>) => judgementsUntil(sql, window),
  /** The alarms that stood in a time, oldest first; one that came back is there for each time. */
  alarmsIn: (window: WindowArguments) => alarmsIn(sql, window),
  /** Whether "swf-mcp watch" runs on this store; undefined where it never has. @param now milliseconds since 1970 */
  isWatched: (now: number) => isWatched(sql, isAlive, now),
});
