import { textOf } from '../lib/words.ts';

/** Fields whose values are shown without the field's name, most informative first. */
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

/** Fields that are of no use to people. */
const technical: ReadonlySet<string> = new Set(['command_id', 'simulation_tick', 'output_tail', 'payload', 'file_url']);

/** The body of a message in one line: its subject and result, then the other fields as `name=value`. */
export function bodyOf(body: unknown) {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return textOf(body);
  const fields = Object.entries(body).filter(([field]) => !technical.has(field));
  const plain = plainFields.flatMap((key) => fields.filter(([field]) => field === key));
  // Avoids repetition: a slice's name contains its file's name, and some reasons repeat the state.
  const isSlice = plain.some(([field]) => field === 'slice_filename');
  const words = new Set(
    plain.filter(([field]) => !isSlice || field !== 'tf_filename').map(([, value]) => textOf(value)),
  );
  const others = fields.filter((field) => !plain.includes(field));
  return [...words, ...others.map(([key, value]) => `${key}=${textOf(value)}`)].join(' ');
}

/** The last part of a path, since a machine's folders are private. */
const lastOf = (path: string) => path.split('/').at(-1) ?? '';

/**
 * A payload command that is safe to show: the program's name and the number of arguments. An argument may
 * contain a path, an address or a password in any form, so none is shown. The digest of the setting shows
 * whether two commands are equal.
 */
export function shownCommand([program = '', ...rest]: readonly string[]) {
  const count = rest.length === 1 ? '1 argument' : `${rest.length} arguments`;
  return rest.length === 0 ? lastOf(program) : `${lastOf(program)} with ${count}`;
}

/** A configuration value that is safe to show: for an absolute path, only the last part. */
export const shownSetting = (value: unknown) =>
  typeof value === 'string'
    ? value.startsWith('/')
      ? `…/${lastOf(value)}`
      : value
    : Array.isArray(value) && value.every((one) => typeof one === 'string')
      ? shownCommand(value)
      : (JSON.stringify(value) ?? '');

/** Maximum number of drivers to show; most runs have fewer. */
const maxShown = 4;

/** The last drivers of an execution, and the number of earlier ones left out. Epochs count from 1. */
export function shownDrivers<T extends { epoch: number }>(drivers: readonly T[]): { shown: T[]; omitted: number } {
  const shown = drivers.slice(-maxShown);
  return { shown, omitted: (shown.at(-1)?.epoch ?? 0) - shown.length };
}

/** Figures whose ratio is smaller than this count as equal. */
const noticeableRatio = 1.25;

/** Durations that differ by less than this count as equal. Seconds. */
const noticeableSeconds = 0.05;

/**
 * Whether a figure differs noticeably between two executions.
 * @param unit the unit of the figures: differences in seconds must exceed a minimum
 */
export function isNoticeable(a: number, b: number, unit: 'seconds' | 'other') {
  if (a === b || (unit === 'seconds' && Math.abs(a - b) < noticeableSeconds)) return false;
  const [less, more] = [Math.min(a, b), Math.max(a, b)];
  return less <= 0 || more / less >= noticeableRatio;
}
