import { type DialectName, dialects } from '../dialects.ts';
import { dialectF } from './dialect-f.ts';
import { dialectH } from './dialect-h.ts';
import { dialectS } from './dialect-s.ts';
import type { Dialect } from './dialect.ts';
import type { Fact } from './fact.ts';
import { readings } from './lifecycle.ts';
import type { Fields } from './values.ts';
import { namedSlice } from './work.ts';

const readers: Readonly<Record<DialectName, Dialect>> = { S: dialectS, F: dialectF, H: dialectH };
const names = Object.keys(dialects) as DialectName[];

/** The dialect of what all word alike: the public one. */
const usual = dialectH;

/** The dialect of a message, the first that words it so; undefined if several word it alike. */
export const dialectOf = (body: Fields): DialectName | undefined => names.find((name) => readers[name].words(body));

/** What a message of a dialect states; undefined if the dialect does not know its type. */
export function factOf(
  type: string,
  dialect: DialectName | undefined,
  body: Fields,
  headers: Readonly<Record<string, string>>,
): Fact | undefined {
  const own = (dialect === undefined ? usual : readers[dialect]).readings;
  if (Object.hasOwn(own, type)) return own[type]?.(body, headers);
  return Object.hasOwn(readings, type) ? readings[type]?.(body) : undefined;
}

/** The names of a slice in a registration by REST; undefined if its key is incomplete. */
export function registeredSlice(body: Fields) {
  const known = names
    .map((name) => readers[name].registering)
    .find((registering) => registering !== undefined && typeof body[registering.field] === 'string');
  return known && namedSlice(body, known);
}
