import { keepValue } from '../body.ts';

/** The prefix under which swf-monitor is served at a site; it has no meaning. */
const sitePrefix = /^\/swf-monitor(?=\/)/;

/** A path in canonical form: without the prefix of a site, and with one trailing `/`. */
const plainPath = (path: string) => `${path.replace(sitePrefix, '').replace(/\/+$/, '')}/`;

/** Methods that state something. */
export const writes: ReadonlySet<string> = new Set(['POST', 'PATCH']);

/** The names that a row of the log has besides its body: of its run, and of a file or a slice. */
export type Names = Record<string, string>;

/** The names that are known and not empty. */
export const named = (run_id: string | undefined, name?: string) => ({
  ...(run_id === undefined || run_id === '' ? {} : { run_id }),
  ...(name === undefined || name === '' ? {} : { name }),
});

/** The row of a REST call. @param t ISO 8601 */
export const restLine = (t: string, method: string, path: string, headers: Names, body: unknown) => ({
  t,
  destination: `${method} ${plainPath(path)}`,
  headers,
  ...keepValue(body),
});

/** The method and path of such a destination; undefined for a message's destination. */
export function restOf(destination: string): { method: string; path: string } | undefined {
  const [, method, path] = /^([A-Z]+) (\/.*)$/.exec(destination) ?? [];
  return method === undefined || path === undefined ? undefined : { method, path };
}

/** The resource that a path names, and the object within it: `/api/stf-files/5/` is `stf-files` and `5`. */
export function resourceOf(path: string): { resource: string; id: string | undefined } {
  const [, resource = '', id] = /^\/api\/([^/]+)\/(?:(.+)\/)?$/.exec(plainPath(path)) ?? [];
  return { resource, id };
}

/** Whether a call was accepted: a refused call states nothing. */
export const wasTaken = (status: number | undefined) => status === undefined || (status >= 200 && status < 300);
