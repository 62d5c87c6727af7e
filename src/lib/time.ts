import { SteadyClock } from './steady-clock.ts';

/** A time with a zone: `Z` or an offset. Everything else is naive. */
const zoned = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?\s?(Z|[+-]\d{2}(:?\d{2})?)$/i;

/** The platform's clocks, which tests replace, and the clock that uses them. */
let platform = { Date: globalThis.Date, performance: globalThis.performance };
let clock = startClock();

function startClock(): SteadyClock {
  return new SteadyClock({ wall: () => Date.now(), monotonic: () => performance.now() });
}

/** The clock of this process, whose times never go back. */
export function steadyClock(): SteadyClock {
  if (platform.Date !== globalThis.Date || platform.performance !== globalThis.performance) {
    platform = { Date: globalThis.Date, performance: globalThis.performance };
    clock = startClock();
  }
  return clock;
}

/** Now, as UTC in ISO 8601 with milliseconds: the one form in which times are stored and compared. */
export const utcNow = (): string => new Date(steadyClock().now()).toISOString();

/** The same by the wall clock as set now: for signs of life, which others compare with their own clocks. */
export const wallNow = (): string => new Date().toISOString();

/** A time with a zone in the stored form, or undefined for anything else. A naive time does not say which moment it means. */
export function toUtc(text: string | undefined): string | undefined {
  if (text === undefined || !zoned.test(text)) return undefined;
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) return undefined;
  const utc = date.toISOString();
  // Years beyond four digits do not sort as text.
  return /^\d{4}-/.test(utc) ? utc : undefined;
}
