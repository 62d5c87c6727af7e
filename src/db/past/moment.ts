import { argumentInvalid } from '../../lib/errors.ts';
import { parseTime } from '../../lib/time.ts';
import { tried } from '../../lib/tried.ts';
import { noMessage } from '../log/rows.ts';
import { messageColumns } from '../migrations/message-columns.ts';
import { shortId } from '../migrations/names.ts';
import { rowsOfBlock } from '../notes/row-blocks.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** A moment in the history of a store: what had been recorded, and the clock time. */
export interface Moment {
  /** The clock, in milliseconds since 1970. */
  now: number;
  /** The clock in ISO 8601. */
  iso: string;
  /** The last log row that counts; 0 if no row does. */
  last: number;
  /** Rows recorded later than this do not count; milliseconds since 1970. */
  recordedBy: number;
  /** The moment as `TIME@MESSAGE_ID`, which identifies it no matter what is recorded later. */
  exact: string;
}

/** Later than anything recorded. */
const always = Number.MAX_SAFE_INTEGER;

/**
 * The moment that an argument names: a time, with all rows recorded at or before it; a message id, with that
 * message's time and all rows up to the message; or both as `TIME@MESSAGE_ID`. Throws `ARGUMENT_INVALID` if the
 * argument is none of these, or if the time is in the future.
 * @param present milliseconds since 1970
 */
export function momentNamed(sql: Prepare, asOf: string, present: number): Moment {
  const at = asOf.indexOf('@');
  const time = at < 0 ? undefined : timeIn(asOf.slice(0, at), present);
  if (time !== undefined && asOf.slice(at + 1) === noMessage) return momentAt(requirePast(time, present), 0, noMessage);
  if (time !== undefined) return upTo(sql, asOf.slice(at + 1), time, present);
  const alone = timeIn(asOf, present);
  return alone === undefined ? upTo(sql, asOf, undefined, present) : recordedBy(sql, alone, present);
}

/** Milliseconds since 1970, or undefined if the text is not a time. */
const timeIn = (text: string, present: number) => tried(() => Date.parse(parseTime('as_of', text, present) ?? ''));

/** The moment just after a row of the log, identified by the row's number and its message's id. */
function momentAt(now: number, last: number, id: string): Moment {
  const iso = new Date(now).toISOString();
  return { now, iso, last, recordedBy: always, exact: `${iso}@${id}` };
}

/** The moment just after a message. @param time the clock time; if undefined, the time of the message */
function upTo(sql: Prepare, messageId: string, time: number | undefined, present: number): Moment {
  const row = sql<{ seq: number; recorded_ms: number }>(
    `SELECT seq, recorded_ms FROM message_rows WHERE short_id = ${shortId('?')}`,
  ).get(messageId);
  if (row === undefined && time !== undefined)
    throw argumentInvalid(
      `as_of names a message that is not recorded: ${JSON.stringify(messageId.slice(0, 200))}; it may have been removed with its execution: give the time alone, "${new Date(time).toISOString()}"`,
    );
  if (row === undefined)
    throw argumentInvalid(
      `as_of = ${JSON.stringify(messageId.slice(0, 200))} is neither a time nor the id of a message on record; give a time such as 2026-11-24T03:12Z or -2h, the message_id of a row of list_messages, or the as_of_exact of an answer`,
    );
  return momentAt(requirePast(time ?? row.recorded_ms, present), row.seq, messageId);
}

function recordedBy(sql: Prepare, time: number, present: number): Moment {
  const now = requirePast(time, present);
  const last = lastRecordedBy(sql, now);
  if (last === undefined) return momentAt(now, 0, noMessage);
  const moment = momentAt(now, last.seq, last.message_id);
  // An older recording was imported after later events, so the rows that count at this moment are not simply
  // all rows up to one row.
  return isAnyLater(sql, last.seq, now) ? { ...moment, recordedBy: now, exact: moment.iso } : moment;
}

function requirePast(now: number, present: number) {
  if (now <= present) return now;
  throw argumentInvalid(
    `as_of ${new Date(now).toISOString()} is in the future; it is now ${new Date(present).toISOString()}`,
  );
}

/** As SQL: the rows in blocks whose recording times are noted, each with its block. */
const notedRows = `recorded_blocks CROSS JOIN message_rows ON seq > block * ${rowsOfBlock} AND seq <= (block + 1) * ${rowsOfBlock}`;

/** As SQL: the rows after the last noted block. */
const otherRows = `message_rows WHERE seq > (SELECT coalesce(max(block) + 1, 0) * ${rowsOfBlock} FROM recorded_blocks)`;

/** The last row that was recorded at or before a time. */
function lastRecordedBy(sql: Prepare, now: number) {
  const isBefore = 'recorded_ms <= $now';
  const last = (rows: string, order: string) =>
    sql<{ seq: number; message_id: string }>(
      `SELECT seq, ${messageColumns.message_id} AS message_id FROM ${rows} AND ${isBefore} ORDER BY ${order} LIMIT 1`,
    ).get({ now });
  return last(otherRows, 'seq DESC') ?? last(`${notedRows} WHERE earliest_ms <= $now`, 'block DESC, seq DESC');
}

/** Whether any row up to `last` was recorded after a time. */
const isAnyLater = (sql: Prepare, last: number, now: number) =>
  [otherRows, `${notedRows} WHERE latest_ms > $now AND block * ${rowsOfBlock} < $last`].some((rows) =>
    sql(`SELECT 1 FROM ${rows} AND seq <= $last AND recorded_ms > $now LIMIT 1`).has({ last, now }),
  );
