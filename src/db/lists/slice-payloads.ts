import { shortDigests } from '../../lib/words.ts';
import type { Prepare } from '../sqlite/statements.ts';

/**
 * As SQL: the payload that the last attempt at a slice of `tf_slices AS s` asks for, as its name and digest; null for the placeholder. The attempt's message is
 * found by its id (`sliceMessageId`).
 */
export const payloadAsked = `(SELECT json_extract(body, '$.payload.name') || coalesce(' ' || json_extract(body, '$.payload.digest'), '')
    FROM message_rows WHERE message_id = s.execution_id || '/slice/' || s.slice_filename || '/' || s.attempt AND json_valid(body))`;

/** As SQL: the host that has the outputs of a slice of `tf_slices AS s`, if it fetched the slice's file; otherwise they are in the folder of the run. */
export const outputsHost = `(SELECT iif(file_url LIKE 'file:%', NULL, s.hostname) FROM fastmon_files AS f
    WHERE f.tf_filename = s.tf_filename AND f.execution_id = s.execution_id)`;

/** The payload that the newest slice of an execution asks for, as shown to people; undefined for the placeholder, and before the first slice. */
export function newestPayload(sql: Prepare, executionId: string): string | undefined {
  const payload = sql<[string], string | null>(
    `SELECT ${payloadAsked} FROM tf_slices AS s WHERE s.execution_id = ? ORDER BY s.seq DESC LIMIT 1`,
  ).value(executionId);
  return typeof payload === 'string' ? shortDigests(payload) : undefined;
}
