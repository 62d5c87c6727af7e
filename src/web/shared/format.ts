/** A number with thin spaces between thousands. */
export const count = (n: number): string => String(Math.round(n)).replaceAll(/\B(?=(\d{3})+(?!\d))/g, '\u2009');

/** Seconds as people read them. */
export function duration(seconds: number): string {
  if (seconds < 0.0995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 10) return `${seconds.toFixed(2)} s`;
  if (seconds < 120) return `${seconds.toFixed(seconds < 100 ? 1 : 0)} s`;
  const whole = Math.round(seconds);
  if (whole < 7200) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

export const percent = (part: number, digits = 1): string => `${part.toFixed(digits)} %`;

export type Zone = 'UTC' | 'local';

/** A time to the second, with its zone. */
export function time(iso: string | number, zone: Zone, digits = 19): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return String(iso);
  if (zone === 'UTC') return `${date.toISOString().slice(0, digits).replace('T', ' ')} UTC`;
  return `${localIso(date).slice(0, digits).replace('T', ' ')} ${offsetOf(date)}`;
}

/** The offset of local time from UTC, such as `+01:00`. */
function offsetOf(date: Date): string {
  const minutes = -date.getTimezoneOffset();
  const two = (n: number): string => String(Math.floor(n)).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`;
}

/** A sentence with its times in the reader's format. */
export const inZone = (sentence: string, zone: Zone): string =>
  sentence.replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, (iso) => time(iso, zone));

/** The time of day, for axes and rows with the zone shown above them. */
export function clock(at: number, zone: Zone, withMilliseconds = false): string {
  const iso = zone === 'UTC' ? new Date(at).toISOString() : localIso(new Date(at));
  return iso.slice(11, withMilliseconds ? 23 : 19);
}

function localIso(date: Date): string {
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString();
}

/** An approximate age. */
export function age(seconds: number): string {
  if (seconds < 1.5) return 'now';
  return seconds < 120 ? `${Math.round(seconds)} s ago` : `${duration(seconds)} ago`;
}

/** A tool's note without the sentences that name its arguments: a person has buttons and fields for those. */
export const noteForPeople = (note = ''): string =>
  note
    .split(/(?<=\.)\s+/)
    .filter((sentence) => !/[a-z]_[a-z]/.test(sentence))
    .join(' ');

/** The number of a slot at its worker agent, or the end of an id without one: what tells slots of an execution apart. */
export const endOfSlot = (slot: string): string =>
  slot.includes('/') ? slot.slice(slot.lastIndexOf('/') + 1) : slot.slice(-4);
