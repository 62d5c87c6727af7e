import * as z from 'zod';

import type { ListPage, Page } from '../../db/lists/page.ts';

/** Whether a text holds any word, as seen by `unicode61`, the tokenizer of SQLite's FTS5. */
const hasWord = (text: string): boolean => /[\p{L}\p{N}\p{Co}]/u.test(text);

/** So many words begin with one or two letters that collecting them would take seconds. */
const tooShort = /(?:^|[^\p{L}\p{N}\p{Co}])[\p{L}\p{N}\p{Co}]{0,2}\s*\*\s*$/u;

/** Words that a text must have. */
export const words = (description: string) =>
  z
    .string()
    .max(300)
    .refine(hasWord, 'has no word to look for; give letters or digits')
    .refine((text) => !tooShort.test(text), 'has too little before the *; give three letters or digits at least')
    .optional()
    .describe(`${description}; word* for any ending`);

/**
 * Explains an empty answer. A client that gives the beginning of a word, an operator, or something other than text must not conclude
 * that there is nothing.
 */
export function otherWords<Filter extends { search?: string | undefined }, Row>(
  filter: Filter,
  ask: (filter: Filter, page: Page) => ListPage<Row>,
): string | undefined {
  const { search } = filter;
  if (search === undefined) return undefined;
  const nothing =
    'Nothing that fits has these whole words in this sequence; a * at the end stands for any ending, but AND, OR, NOT and a * inside are no operators. Agents, runs and times are not searched: they have arguments of their own.';
  const longer = `${search.trimEnd()}*`;
  if (search.trimEnd().endsWith('*') || tooShort.test(longer)) return nothing;
  const { rows } = ask({ ...filter, search: longer }, { order: 'newest', limit: 1, uncounted: true });
  return rows.length === 0 ? nothing : `${nothing} search ${JSON.stringify(longer)} finds some.`;
}
