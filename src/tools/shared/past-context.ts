import type { Past } from '../../db/past-queries.ts';
import { argumentInvalid } from '../../lib/errors.ts';
import type { LiveContext } from './tool.ts';

/** Only one past moment can be queried at a time. */
const alreadyBack = argumentInvalid(
  'this call is about an earlier moment already; leave as_of out, or ask it by itself',
);

/** The context of a call that asks the store as it was at a moment. */
export const pastContext = (context: LiveContext, past: Past): LiveContext => ({
  ...context,
  queries: () => past.queries,
  held: (ask) => ask(past.queries),
  past: () => Promise.reject(alreadyBack),
  now: () => past.now,
  asOf: past.exact,
});
