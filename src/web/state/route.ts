import { decoded } from '../transport/call.ts';

/** Pages, by the first word of an address. */
const namedPages = ['wall', 'compare', 'shift'] as const;

type NamedPage = (typeof namedPages)[number];

const isNamed = (word: string): word is NamedPage => namedPages.some((name) => name === word);

/** A place within the page, as read from its address. The report uses the same addresses. */
export interface Route {
  page: 'overview' | 'execution' | NamedPage;
  ids: readonly string[];
  params: Readonly<Record<string, string>>;
}

/** The parts of a page's address, and a function to change its parameters. */
export interface PageProps {
  ids: readonly string[];
  params: Route['params'];
  change: (params: Record<string, string | undefined>) => void;
  theme: string;
}

export function readRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const params = Object.fromEntries(new URLSearchParams(query));
  const parts = path.split('/').filter((part) => part !== '');
  const ids = parts.map(decoded);
  const [first] = ids;
  if (first === undefined) return { page: 'overview', ids, params };
  if (isNamed(first)) return { page: first, ids: ids.slice(1), params };
  return { page: 'execution', ids, params };
}

/** The address of a page. */
export function hashOf({ page, ids = [], params = {} }: Pick<Route, 'page'> & Partial<Route>) {
  const named = isNamed(page) ? [page] : [];
  const path = [...named, ...ids.map(encodeURIComponent)].join('/');
  const query = new URLSearchParams(Object.entries(params).filter(([, value]) => value !== '')).toString();
  return `#/${path}${query === '' ? '' : `?${query}`}`;
}

/** The parameters after a change; undefined ones are left out. */
export const changed = (before: Route['params'], change: Record<string, string | undefined>): Route['params'] =>
  Object.fromEntries(
    Object.entries({ ...before, ...change }).filter((one): one is [string, string] => one[1] !== undefined),
  );

export const executionHash = (id: string, params: Record<string, string> = {}) =>
  hashOf({ page: 'execution', ids: [id], params });
