import * as z from 'zod';

import type { Past } from '../../db/past-queries.ts';
import { optionalString } from '../../domain/fields.ts';

/** The argument and the answer fields of tools that can be asked about an earlier moment. */

export const momentArgument = { as_of: z.string().min(1).max(500).optional().describe('Earlier moment') };

export const momentFields = { as_of: optionalString, as_of_exact: optionalString };

/** The moment of a past state, as reported in answers. */
export const momentOf = ({ now, exact }: Past) => ({
  as_of: new Date(now).toISOString(),
  as_of_exact: exact,
});

/** Replaces `data_as_of` in an answer with the earlier moment that the answer is about. */
export const ofMoment = (answer: Record<string, unknown>, past: Past) => ({
  ...Object.fromEntries(Object.entries(answer).filter(([name]) => name !== 'data_as_of')),
  ...momentOf(past),
});
