/**
 * How people read a time, in terminals, Markdown and notifications: `2026-12-01 08:02:14 UTC`. The page shows it in the zone of its reader
 * (`web/shared/format.ts`). Programs get ISO 8601.
 */

/** A time in ISO 8601 to the second, for a column whose head names the zone. */
export const columnTime = (iso: string) => iso.slice(0, 19).replace('T', ' ');

/** The same where it stands alone. */
export const shownTime = (iso: string) => `${columnTime(iso)} UTC`;

/** The time of day, where room is scarce and the day is now. */
export const timeOfDay = (iso: string) => `${iso.slice(11, 19)} UTC`;

/** A time as answers have it, outside of a command to copy. */
export const isoTime = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z(?=[^"]*(?:"[^"]*"[^"]*)*$)/g;

/** A line with its times as people read them. */
export const withPlainTimes = (line: string) => line.replaceAll(isoTime, (iso) => shownTime(iso));
