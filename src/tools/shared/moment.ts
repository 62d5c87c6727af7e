import * as z from 'zod';

import type { Past } from '../../db/past-queries.ts';
import { argumentInvalid } from '../../lib/errors.ts';
import type { LiveContext } from './tool.ts';

/** The argument and the fields of tools that can be asked about an earlier moment. */

export const momentArgument = {
  as_of: z.string().min(1).max(500).optional().describe('Earlier moment'),
};

export const momentFields = {
  as_of: z.string().optional(),
  as_of_exact: z.string().optional(),
};

/** Puts the earlier moment that an answer is about in place of how fresh the store is. @param now of the moment, in milliseconds since 1970 */
export function ofMoment(
  answer: Record<string, unknown>,
  { now, exact }: { now: number; exact: string },
): Record<string, unknown> {
  const fields = Object.entries(answer).filter(([name]) => name !== 'data_as_of');
  return { ...Object.fromEntries(fields), as_of: new Date(now).toISOString(), as_of_exact: exact };
}

/** Only one past moment can be queried at a time. */
const alreadyBack = argumentInvalid(
  'a past end_time and troubles look back by themselves, so they cannot be asked as of a moment; give end_time in place of as_of',
);

/** The context of a call that asks the store as it was at a moment. */
export const contextThen = (context: LiveContext, past: Past): LiveContext => ({
  ...context,
  queries: () => past.queries,
  held: (ask) => ask(past.queries),
  past: () => Promise.reject(alreadyBack),
  now: () => past.now,
});
