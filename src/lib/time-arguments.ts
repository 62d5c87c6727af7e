import { argumentInvalid } from './errors.ts';

const relative = /^-(\d{1,9})(s|m|h|d|w)$/;
const unitSeconds = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
const iso = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?\s?(Z|[+-]\d{2}:?\d{2})?)?$/i;

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
  throw argumentInvalid(
    `${name} = ${JSON.stringify(value)} is no time; give ISO 8601 such as 2026-11-24T10:00:00Z, or a relative time such as -15m, -2h, -7d`,
  );
}

function parseIso(value: string): Date | undefined {
  const [, time, , , zone] = iso.exec(value) ?? [undefined];
  if (!iso.test(value)) return undefined;
  const withZone = time === undefined ? `${value}T00:00:00Z` : zone === undefined ? `${value}Z` : value;
  const date = new Date(withZone.replace(' ', 'T').replace(/\s/g, ''));
  if (Number.isNaN(date.getTime())) return undefined;
  // JavaScript reads 30 February as 2 March.
  const day = Number(value.slice(8, 10));
  const asUtcDay = new Date(`${value.slice(0, 7)}-01T00:00:00Z`);
  asUtcDay.setUTCDate(day);
  return asUtcDay.getUTCDate() === day ? date : undefined;
}
