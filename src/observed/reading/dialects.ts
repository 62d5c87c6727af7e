import { type DialectName, dialects } from '../dialects.ts';
import { dialectF } from './dialect-f.ts';
import { dialectH } from './dialect-h.ts';
import { dialectS } from './dialect-s.ts';
import type { Dialect, Fact } from './fact.ts';
import { readings } from './lifecycle.ts';
import type { Fields } from './values.ts';
import { namedSlice, outcomeIn } from './work.ts';

const readers: Readonly<Record<DialectName, Dialect>> = { S: dialectS, F: dialectF, H: dialectH };
const names = Object.keys(dialects) as DialectName[];

/** The dialect of messages that are the same in all: the public one. */
const usual = dialectH;

/** The dialect of a message, the first that recognizes it; undefined if several have the same format. */
export const dialectOf = (body: Fields) => names.find((name) => readers[name].words(body));

/** The fact that a message of a dialect states; undefined if the dialect does not know its type. */
export function factOf(
  type: string,
  dialect: DialectName | undefined,
  body: Fields,
  headers: Readonly<Record<string, string>>,
): Fact | undefined {
  const own: Dialect['readings'] = (dialect === undefined ? usual : readers[dialect]).readings;
  const known: Dialect['readings'] = Object.hasOwn(own, type) ? own : readings;
  return Object.hasOwn(known, type) ? known[type]?.(body, headers) : undefined;
}

/** The slice that a result of a dialect echoes, or empty. */
export function echoOf(dialect: DialectName | undefined, content: Fields): Fields {
  const { slices } = dialect === undefined ? usual : readers[dialect];
  return slices?.echo(outcomeIn(content)) ?? {};
}

const slicesOfAll = names.flatMap((name) => readers[name].slices ?? []);

/** The names of a slice in a registration by REST; undefined if its key is incomplete. */
export function registeredSlice(body: Fields) {
  const known = slicesOfAll.find(({ registeredBy }) => typeof body[registeredBy] === 'string');
  return known && namedSlice(body, known);
}

/** Fields of the registration of a slice that its row in the monitor's table lacks. */
export const lackedBySlice = (row: Fields) =>
  Object.assign({}, ...slicesOfAll.map(({ lackedBy }) => lackedBy?.(row))) as Fields;
