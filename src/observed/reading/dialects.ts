import { type DialectName, dialects } from '../dialects.ts';
import { dialectF } from './dialect-f.ts';
import { dialectH } from './dialect-h.ts';
import { dialectS } from './dialect-s.ts';
import type { Dialect } from './fact.ts';
import { readings } from './lifecycle.ts';
import type { Fields } from './values.ts';
import { namedSlice, outcomeIn } from './work.ts';

const readers: Readonly<Record<DialectName, Dialect>> = { S: dialectS, F: dialectF, H: dialectH };
const names = Object.keys(dialects) as DialectName[];

/** The dialect for messages that are the same in all dialects: the public one. */
const usual = dialectH;

/**
 * The first dialect that recognizes a message; undefined if no dialect does, as for messages that are the same
 * in all dialects.
 */
export const dialectOf = (body: Fields) => names.find((name) => readers[name].words(body));

/** The fact that a message in a dialect states; undefined if the dialect does not define the message's type. */
export function factOf(
  type: string,
  dialect: DialectName | undefined,
  body: Fields,
  headers: Readonly<Record<string, string>>,
) {
  const own: Dialect['readings'] = (dialect === undefined ? usual : readers[dialect]).readings;
  const known: Dialect['readings'] = Object.hasOwn(own, type) ? own : readings;
  return Object.hasOwn(known, type) ? known[type]?.(body, headers) : undefined;
}

/** The slice that a result in a dialect echoes, or an empty object. */
export function echoOf(dialect: DialectName | undefined, content: Fields) {
  const { slices } = dialect === undefined ? usual : readers[dialect];
  return slices?.echo(outcomeIn(content)) ?? {};
}

const slicesOfAll = names.flatMap((name) => readers[name].slices ?? []);

/** The names of a slice in a registration over REST; undefined if the slice's key is incomplete. */
export function registeredSlice(body: Fields) {
  const known = slicesOfAll.find(({ registeredBy }) => typeof body[registeredBy] === 'string');
  return known && namedSlice(body, known);
}

/** Fields of a slice's registration that the slice's row in the monitor's table lacks. */
export const lackedBySlice = (row: Fields) =>
  Object.assign({}, ...slicesOfAll.map(({ lackedBy }) => lackedBy?.(row))) as Fields;
