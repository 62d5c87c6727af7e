import { textOf } from '../lib/words.ts';

/** Fields whose values need no name, the most telling first. */
const plainFields = [
  'slice_filename',
  'tf_filename',
  'filename',
  'value',
  'state',
  'status',
  'error',
  'reason',
  'text',
  'sentence',
];

/** Fields that mean nothing to people. */
const technical: ReadonlySet<string> = new Set(['command_id', 'simulation_tick', 'output_tail', 'payload', 'file_url']);

/**
 * The body of a message in one line: what it is about and how it went, then its other fields as `name=value`.
 */
export function bodyOf(body: unknown): string {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return textOf(body);
  const fields = Object.entries(body).filter(([field]) => !technical.has(field));
  const plain = plainFields.flatMap((key) => fields.filter(([field]) => field === key));
  // A slice's name has its file's in it, and some reasons repeat the state.
  const isSlice = plain.some(([field]) => field === 'slice_filename');
  const words = new Set(
    plain.filter(([field]) => !isSlice || field !== 'tf_filename').map(([, value]) => textOf(value)),
  );
  const others = fields.filter((field) => !plain.includes(field));
  return [...words, ...others.map(([key, value]) => `${key}=${textOf(value)}`)].join(' ');
}

/** A path's last part: a machine's folders are private. */
const lastOf = (path: string) => path.split('/').at(-1) ?? '';

/**
 * A payload command that is safe to show: its program's name and its number of arguments. An argument may
 * hold a path, an address or a password in any form, so none is shown; the setting's mark shows whether two
 * commands are the same.
 */
export function shownCommand([program = '', ...rest]: readonly string[]): string {
  const count = rest.length === 1 ? '1 argument' : `${rest.length} arguments`;
  return rest.length === 0 ? lastOf(program) : `${lastOf(program)} with ${count}`;
}

/** A configuration value that is safe to show: an absolute path as its last part. */
export const shownSetting = (value: unknown) =>
  typeof value === 'string'
    ? value.startsWith('/')
      ? `…/${lastOf(value)}`
      : value
    : Array.isArray(value) && value.every((one) => typeof one === 'string')
      ? shownCommand(value)
      : (JSON.stringify(value) ?? '');

/** Most runs have fewer drivers. */
const maxShown = 4;

/** The last drivers of an execution, and how many earlier ones are left out. Epochs count from 1. */
export function shownDrivers<T extends { epoch: number }>(drivers: readonly T[]): { shown: T[]; omitted: number } {
  const shown = drivers.slice(-maxShown);
  return { shown, omitted: (shown.at(-1)?.epoch ?? 0) - shown.length };
}

/** Figures whose ratio is smaller count as equal. */
const noticeableRatio = 1.25;

/** Seconds that differ by less count as equal. */
const noticeableSeconds = 0.05;

/**
 * Whether two figures of two executions differ by more than chance would explain.
 * @param unit of the figures: seconds need a minimum difference
 */
export function isNoticeable(a: number, b: number, unit: 'seconds' | 'other'): boolean {
  if (a === b || (unit === 'seconds' && Math.abs(a - b) < noticeableSeconds)) return false;
  const [less, more] = [Math.min(a, b), Math.max(a, b)];
  return less <= 0 || more / less >= noticeableRatio;
}
