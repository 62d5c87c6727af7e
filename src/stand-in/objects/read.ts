import type { Prepare } from '../../db/sqlite/statements.ts';
import { maxListed, objectOf } from '../../db/stand-in/objects.ts';
import { numberIn } from './fields.ts';
import { finderOf } from './finder.ts';
import type { Answer, Resource } from './resource.ts';

type Query = Readonly<Record<string, string>>;

/** Answers with one object. For an object that nobody registered here, the answer lets their programs go on. */
export function read(sql: Prepare, resource: Resource, id: string): Answer {
  const object = objectOf(sql, resource.path, id);
  const body = object?.document ?? resource.unknown?.(id, finderOf(sql));
  return body === undefined ? { status: 404, body: { detail: 'Not found.' } } : { status: 200, body };
}

/** The objects that match a query, the oldest first: as an array, or with `limit` as a page where swf-monitor has pages. @param url of the list */
export function list(sql: Prepare, resource: Resource, query: Query, url: string): Answer {
  const fields = Object.entries(query).flatMap(([key, value]) => {
    const field = resource.aliases?.[key] ?? key;
    return field === '' || paging.has(key) || !/^\w+$/.test(field) ? [] : [[field, value] as const];
  });
  const find = finderOf(sql, fields);
  const meant = resource.find?.(query, find) ?? find.list(resource.path, {});
  const [offset, limit] = [numberIn(query['offset']) ?? 0, numberIn(query['limit']) ?? Infinity];
  const results = meant.slice(offset, offset + limit).map(({ document }) => document);
  const end = offset + results.length;
  const next = `${url}?${new URLSearchParams({ ...query, offset: String(end) }).toString()}`;
  const isPage = resource.isPaged === true && limit !== Infinity;
  const body = isPage
    ? { count: meant.length, next: end > offset && end < meant.length ? next : null, results }
    : results;
  return { status: 200, body, isCut: meant.length === maxListed };
}

const paging: ReadonlySet<string> = new Set(['limit', 'offset', 'format', 'page', 'ordering']);
