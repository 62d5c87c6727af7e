import { valueInvalid } from './errors.ts';

/** The platform's clocks, in milliseconds. */
interface PlatformClocks {
  wall: () => number;
  /** This clock cannot be set, and it stops while the machine sleeps. */
  monotonic: () => number;
}

/** Backward steps smaller than this, in milliseconds, are corrections by a time service. */
const tolerated = 1000;

/**
 * A wall clock that never steps back: one process's times are in the order in which they were read, and the
 * time between two of them is never negative. If the platform's clock is set back, this one continues as
 * before. If it is set forward, this one follows, since other processes see the new time.
 */
export function createSteadyClock({ wall, monotonic }: PlatformClocks) {
  let last = wall();
  /** The difference between the reported and the monotonic time. */
  let offset = last - monotonic();
  /** Milliseconds since 1970. */
  const now = () => {
    const onWall = wall();
    const steady = monotonic() + offset;
    const isAhead = steady - onWall > tolerated;
    if (!isAhead) offset += onWall - steady;
    last = Math.max(last, isAhead ? steady : onWall);
    return last;
  };
  return {
    now,
    /**
     * From now on, reports no time before `time` (milliseconds since 1970), even if the platform's clock is
     * behind.
     */
    catchUp(time: number) {
      const missing = time - now();
      if (missing <= 0) return;
      offset += missing;
      last = time;
    },
  };
}

/** A time with a zone: `Z` or an offset. Any other time is naive. */
const zoned = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?\s?(Z|[+-]\d{2}(:?\d{2})?)$/i;

/** The platform's clocks, which tests may replace, and the clock that uses them. */
let platform = { Date: globalThis.Date, performance: globalThis.performance };
const startClock = () => createSteadyClock({ wall: () => Date.now(), monotonic: () => performance.now() });
let clock = startClock();

/** The clock of this process, whose times never go back. */
export function steadyClock() {
  if (platform.Date !== globalThis.Date || platform.performance !== globalThis.performance) {
    platform = { Date: globalThis.Date, performance: globalThis.performance };
    clock = startClock();
  }
  return clock;
}

/** Now, as UTC in ISO 8601 with milliseconds: the only form in which times are stored and compared. */
export const utcNow = () => new Date(steadyClock().now()).toISOString();

/**
 * The current time by the wall clock, even if the clock was set back. Signs of life use it, because other
 * processes compare these times with their own clocks.
 */
export const wallNow = () => new Date().toISOString();

/**
 * Converts a time with a zone to the stored form; undefined for anything else. A naive time does not say
 * which moment it means.
 */
export function toUtc(text: string | undefined) {
  if (text === undefined || !zoned.test(text)) return undefined;
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) return undefined;
  const utc = date.toISOString();
  // Years beyond four digits do not sort correctly as text.
  return /^\d{4}-/.test(utc) ? utc : undefined;
}

const daysBefore = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

/** A stored time in milliseconds since 1970; undefined if there is none. */
export const millisecondsOf = (time: string | null | undefined) =>
  time === null || time === undefined ? undefined : Date.parse(time);

/** The number of characters in a stored time: UTC in ISO 8601 with milliseconds and `Z`. */
export const timeLength = 24;

/**
 * The stored time at a position in a text, in milliseconds since 1970. Meant for bulk use: it takes a fifth as
 * long as `Date.parse`, which must also handle years outside this century and the last.
 */
export function millisecondsAt(text: string, at: number) {
  const digits = (of: number) => (text.charCodeAt(at + of) - 48) * 10 + text.charCodeAt(at + of + 1) - 48;
  const year = digits(0) * 100 + digits(2);
  if (year < 1970 || year > 2099) return Date.parse(text.slice(at, at + timeLength));
  const month = digits(5);
  // Every fourth year in this range is a leap year.
  const leapDays = Math.floor((month > 2 ? year : year - 1) / 4) - 492;
  const days = (year - 1970) * 365 + leapDays + (daysBefore[month - 1] ?? NaN) + digits(8) - 1;
  const seconds = ((days * 24 + digits(11)) * 60 + digits(14)) * 60 + digits(17);
  return seconds * 1000 + digits(20) * 10 + text.charCodeAt(at + 22) - 48;
}

/** Starts to measure wall time with a monotonic clock. Returns a function that returns the seconds elapsed. */
export function startStopwatch(): () => number {
  const since = performance.now();
  return () => (performance.now() - since) / 1000;
}

const relative = /^-(\d{1,9})(s|m|h|d|w)$/;
const unitSeconds = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
const iso = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?\s?(Z|UTC|[+-]\d{2}:?\d{2})?)?$/i;

/** A time argument as UTC in ISO 8601 with milliseconds. Throws `ARGUMENT_INVALID` for anything else. */
export function parseTime(name: string, value: string | undefined, now: number): string | undefined {
  if (value === undefined) return undefined;
  const [, amount, unit] = relative.exec(value.trim()) ?? [];
  const date =
    unit === undefined
      ? parseIso(value.trim())
      : new Date(now - Number(amount) * unitSeconds[unit as keyof typeof unitSeconds] * 1000);
  // Stored times have four-digit years and are compared as text.
  const year = date?.getUTCFullYear();
  if (date !== undefined && year !== undefined && year >= 0 && year <= 9999) return date.toISOString();
  const ago = `-${value.trim()}`;
  throw valueInvalid(
    `${name} = ${JSON.stringify(value)} is not a time; give ${relative.test(ago) ? `${ago}, ` : ''}ISO 8601 such as 2026-11-24T10:00Z, or a relative time such as -15m, -2h, -7d`,
  );
}

function parseIso(value: string) {
  const [, time, , , zone] = iso.exec(value) ?? [undefined];
  if (!iso.test(value)) return undefined;
  const withZone = time === undefined ? `${value}T00:00:00Z` : zone === undefined ? `${value}Z` : value;
  const date = new Date(
    withZone
      .replace(' ', 'T')
      .replace(/\s?UTC$/i, 'Z')
      .replace(/\s/g, ''),
  );
  if (Number.isNaN(date.getTime())) return undefined;
  // JavaScript reads 30 February as 2 March.
  const day = Number(value.slice(8, 10));
  const asUtcDay = new Date(`${value.slice(0, 7)}-01T00:00:00Z`);
  asUtcDay.setUTCDate(day);
  return asUtcDay.getUTCDate() === day ? date : undefined;
}
