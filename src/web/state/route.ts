/** A place within the page, as its address says it: the report has the same addresses. */
export interface Route {
  page: 'overview' | 'execution' | 'compare' | 'shift';
  ids: string[];
  params: Readonly<Record<string, string>>;
}

export function readRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const params = Object.fromEntries(new URLSearchParams(query));
  const parts = path.split('/').filter((part) => part !== '');
  const ids = parts.map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  if (ids.length === 0) return { page: 'overview', ids: [], params };
  if (ids[0] === 'compare' && ids.length === 3) return { page: 'compare', ids: ids.slice(1), params };
  if (ids[0] === 'shift') return { page: 'shift', ids: [], params };
  return { page: 'execution', ids: ids.slice(0, 1), params };
}

export function hashOf({ page, ids, params }: Route): string {
  const names = { overview: [], execution: [], compare: ['compare'], shift: ['shift'] }[page];
  const path = [...names, ...ids.map(encodeURIComponent)].join('/');
  const query = new URLSearchParams(Object.entries(params).filter(([, value]) => value !== '')).toString();
  return `#/${path}${query === '' ? '' : `?${query}`}`;
}

export const executionHash = (id: string, params: Record<string, string> = {}): string =>
  hashOf({ page: 'execution', ids: [id], params });
