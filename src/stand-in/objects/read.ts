import type { Prepare } from '../../db/sqlite/statements.ts';
import { type MonitorObject, objectOf } from '../../db/stand-in/objects.ts';
import { textOf } from './fields.ts';
import { finderOf } from './finder.ts';
import type { Answer, Resource } from './resource.ts';

type Query = Readonly<Record<string, string>>;

/** One object; where nobody has registered it here, what their programs can go on with. */
export function read(sql: Prepare, resource: Resource, id: string): Answer {
  const object = objectOf(sql, resource.path, id);
  const body = object?.document ?? resource.unknown?.(id, finderOf(sql));
  return body === undefined ? { status: 404, body: { detail: 'Not found.' } } : { status: 200, body };
}

/** The objects that a query means, as an array, the oldest first. */
export function list(sql: Prepare, resource: Resource, query: Query): Answer {
  const find = finderOf(sql);
  const all = resource.find?.(query, find) ?? find.list(resource.path, {});
  const wanted = Object.entries(query).flatMap(([key, value]) => {
    const field = resource.aliases?.[key] ?? key;
    return field === '' || paging.has(key) ? [] : [[field, value] as const];
  });
  const meant = all.filter((object) => wanted.every(([field, value]) => fits(object, field, value)));
  const [offset, limit] = [Number(query['offset'] ?? 0) || 0, Number(query['limit'] ?? Infinity) || Infinity];
  return { status: 200, body: meant.slice(offset, offset + limit).map(({ document }) => document) };
}

const paging: ReadonlySet<string> = new Set(['limit', 'offset', 'format', 'page', 'ordering']);

/** A part of a query that an object does not have narrows nothing down, as in swf-monitor. */
const fits = ({ document }: MonitorObject, field: string, value: string): boolean =>
  !(field in document) || textOf(document[field]) === value;
