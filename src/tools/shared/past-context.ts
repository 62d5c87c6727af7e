import type { Past } from '../../db/past-queries.ts';
import type { LiveContext } from './tool.ts';

/** The context of a call that asks the store as it was at a moment. */
export const pastContext = (context: LiveContext, past: Past): LiveContext => ({
  ...context,
  queries: () => past.queries,
  held: (ask) => ask(past.queries),
  past: () => Promise.reject(new Error('a call about an earlier moment asks about another one')),
  now: () => past.now,
  asOf: past.exact,
});
