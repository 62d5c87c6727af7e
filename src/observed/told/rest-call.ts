import { keepValue } from '../body.ts';

/** The prefix under which a site serves swf-monitor; it is ignored. */
const sitePrefix = /^\/swf-monitor(?=\/)/;

/** A path in canonical form: without a site's prefix, and with one trailing `/`. */
const plainPath = (path: string) => `${path.replace(sitePrefix, '').replace(/\/+$/, '')}/`;

/** HTTP methods of requests that report something. */
export const writes: ReadonlySet<string> = new Set(['POST', 'PATCH']);

/** The names in a log row's headers: the name of its run, and of a file or a slice. */
export type Names = Record<string, string>;

/** Only the names that are known and not empty. */
export const named = (run_id: string | undefined, name?: string) => ({
  ...(run_id === undefined || run_id === '' ? {} : { run_id }),
  ...(name === undefined || name === '' ? {} : { name }),
});

/** The row for a REST call. @param t ISO 8601 */
export const restLine = (t: string, method: string, path: string, headers: Names, body: unknown) => ({
  t,
  destination: `${method} ${plainPath(path)}`,
  headers,
  ...keepValue(body),
});

/** The method and path in a destination; undefined for the destination of a message. */
export function restOf(destination: string) {
  const [, method, path] = /^([A-Z]+) (\/.*)$/.exec(destination) ?? [];
  return method === undefined || path === undefined ? undefined : { method, path };
}

/** The resource named in a path, and the object within it: `/api/stf-files/5/` is `stf-files` and `5`. */
export function resourceOf(path: string) {
  const [, resource = '', id] = /^\/api\/([^/]+)\/(?:(.+)\/)?$/.exec(plainPath(path)) ?? [];
  return { resource, id };
}

/** Whether a call was accepted; a refused call reports nothing. */
export const wasTaken = (status: number | undefined) => status === undefined || (status >= 200 && status < 300);
