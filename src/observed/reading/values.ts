import { toUSVString } from 'node:util';

import { printable } from '../../lib/printable.ts';
import { asObject } from '../../lib/read-json.ts';
import { told } from '../../messages/foreign.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** Longer file names are ignored. */
const maxName = 1000;

/** Longer names of programs, namespaces, runs or executions are ignored. */
export const maxShortName = 200;

/** Longer errors are cut to this length. */
const maxText = 20_000;

/** The fields of an object; empty for any other value. */
export const objectOf = (value: unknown) => asObject(value) ?? {};

/** A file name: any text of at most 1,000 characters. */
export const nameOf = (value: unknown) =>
  typeof value === 'string' && value !== '' && value.length <= maxName ? toUSVString(value) : undefined;

/** An id, which some programs write as a number. */
export function idOf(value: unknown) {
  const text = told(value);
  // SQLite would store half a surrogate pair as a different character.
  return text === undefined || text.length > maxName ? undefined : toUSVString(text);
}

/** Invisible characters: an id that contains one could be mistaken for another id. */
const hidden = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/u;

export const hasHidden = (text: string) => hidden.test(text);

/**
 * The name of a program, a namespace, a run or an execution; undefined if it is too long or has invisible
 * characters.
 */
export const shortName = (text: string | undefined) =>
  text === undefined || text.length > maxShortName || hasHidden(text) ? undefined : text;

/** A slice number: from 0 to the largest number that fits into the columns. */
export const sliceIdOf = (value: unknown) => {
  const id = countOf(value);
  return id !== undefined && id < 2 ** 31 ? id : undefined;
};

/** A count: a whole number of at least 0. */
export const countOf = (value: unknown) =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;

/**
 * The frames of a TF file or a slice.
 * @param first field with the number of the first frame
 * @param last field with the number of the last frame
 */
export const framesIn = (fields: Fields, first = 'tf_first', last = 'tf_last') => ({
  tf_first: countOf(fields[first]),
  tf_last: countOf(fields[last]),
  tf_count: countOf(fields['tf_count']),
});

/** A fact about an STF file; undefined if the fields name no file. */
export function stfFileFact<Kind extends string>(kind: Kind, { filename, sequence, tf_count }: Fields) {
  const stf_filename = nameOf(filename);
  return stf_filename === undefined
    ? undefined
    : { kind, stf_filename, sequence: countOf(sequence), tf_count: countOf(tf_count) };
}

/** A fact about a TF file; undefined if the body names no file. */
export function tfFileFact<Kind extends string>(kind: Kind, body: Fields, stf_filename: string | undefined) {
  const tf_filename = nameOf(body['tf_filename']);
  return tf_filename === undefined ? undefined : { kind, tf_filename, stf_filename, ...framesIn(body) };
}

/** A file size, bounded so that sums of many sizes stay exact. Larger sizes are ignored. */
export const sizeOf = (value: unknown) => {
  const size = countOf(value);
  return size !== undefined && size < 2 ** 43 ? size : undefined;
};

export const numberOf = (value: unknown) => (typeof value === 'number' && Number.isFinite(value) ? value : undefined);

export const textOf = (value: unknown) =>
  typeof value === 'string' && value !== '' ? toUSVString(value.slice(0, maxText)) : undefined;

/**
 * A description of the first of these names that has an invisible character; undefined if there is none.
 * @param names the values of each field
 */
export function hiddenIn(names: Readonly<Record<string, readonly unknown[]>>) {
  for (const [field, values] of Object.entries(names))
    for (const value of values) {
      const text = idOf(value);
      if (text !== undefined && hasHidden(text)) return `${field} ${JSON.stringify(printable(text))}`;
    }
  return undefined;
}
