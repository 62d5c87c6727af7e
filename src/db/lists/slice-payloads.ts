import { shortDigests } from '../../lib/short-digests.ts';
import type { Prepare } from '../sqlite/statements.ts';

/**
 * As SQL: the payload that a slice message asks for, as its name and the short form of its digest; null for the placeholder.
 * @param messageId as SQL, of the `slice` message of an attempt
 */
export const payloadAsked = (messageId: string): string =>
  `(SELECT json_extract(body, '$.payload.name') || coalesce(' ' || json_extract(body, '$.payload.digest'), '')
    FROM message_rows WHERE message_id = ${messageId} AND json_valid(body))`;

/** The same for people: of the digest the first digits. */
export const shownPayload = (payload: string | null): string | null =>
  payload === null ? null : shortDigests(payload);

/** The payload that the newest slice of an execution asks for; undefined for the placeholder, and before the first slice. */
export function newestPayload(sql: Prepare, executionId: string): string | undefined {
  const row = sql<[string], { payload: string | null }>(
    `SELECT ${payloadAsked(`s.execution_id || '/slice/' || s.slice_filename || '/' || s.attempt`)} AS payload
     FROM tf_slices AS s WHERE s.execution_id = ? ORDER BY s.seq DESC LIMIT 1`,
  ).get(executionId);
  return shownPayload(row?.payload ?? null) ?? undefined;
}
