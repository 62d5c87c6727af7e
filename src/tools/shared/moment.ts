import * as z from 'zod';

/** The argument and the fields of tools that can be asked about an earlier moment. */

export const momentArgument = { as_of: z.string().min(1).max(500).optional().describe('Earlier moment') };

export const momentFields = { as_of: z.string().optional(), as_of_exact: z.string().optional() };

/** The moment of a past state, as answers tell it. @param now of the moment, in milliseconds since 1970 */
export const momentOf = ({ now, exact }: { now: number; exact: string }) => ({
  as_of: new Date(now).toISOString(),
  as_of_exact: exact,
});

/** Puts the earlier moment that an answer is about in place of how fresh the store is. */
export function ofMoment(
  answer: Record<string, unknown>,
  past: { now: number; exact: string },
): Record<string, unknown> {
  const fields = Object.entries(answer).filter(([name]) => name !== 'data_as_of');
  return { ...Object.fromEntries(fields), ...momentOf(past) };
}
