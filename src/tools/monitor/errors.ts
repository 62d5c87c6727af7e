import type { Queries } from '../../db/queries.ts';
import { causeOf } from '../../domain/causes.ts';
import { logLevels } from '../../lib/logger.ts';
import { clipped } from './parts.ts';

const shownErrors = 8;

/** Errors to look at for different ones. */
const errorsLookedAt = 50;

/** The last errors logged and messages not taken as sent, newest first. Of those alike but for numbers and names the newest, with the number of the others. */
export function lastErrors(executionId: string, queries: Queries) {
  const logs = queries.lastLogLines(executionId, logLevels.ERROR, errorsLookedAt).map((row) => ({
    time: row.timestamp,
    source: row.agent,
    error: clipped(row.message) ?? '',
    log_id: row.key,
  }));
  const messages = queries.lastTroubledMessages(executionId, errorsLookedAt).map((row) => ({
    time: row.recorded_at,
    source: row.sender_agent ?? row.destination,
    error: `${row.message_type} ${row.effect}: ${clipped(row.effect_reason) ?? ''}`,
    message_id: row.message_id,
  }));
  const newest = [...logs, ...messages]
    .toSorted((a, b) => (a.time === b.time ? 0 : a.time < b.time ? 1 : -1))
    .slice(0, errorsLookedAt);
  const causes = newest.map(({ error }) => causeOf(error));
  return newest
    .map((row, at) => {
      const alike = causes.filter((cause) => cause === causes[at]).length;
      return { ...row, ...(alike === 1 ? {} : { more: alike - 1 }) };
    })
    .filter((_, at) => causes.indexOf(causes[at] ?? '') === at)
    .slice(0, shownErrors);
}
