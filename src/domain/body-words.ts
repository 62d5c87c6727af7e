import { textOf } from '../lib/text-of.ts';

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

/** Fields that say nothing to people. */
const technical: ReadonlySet<string> = new Set(['command_id', 'simulation_tick', 'output_tail', 'payload', 'file_url']);

/** The body of a message in one line: what it is about and how it went, then its other fields as `name=value`. */
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
