import * as z from 'zod';

import type { ListPage, Page } from '../db/page.ts';

/** Whether a text holds a word at all, as `unicode61`, the tokenizer of SQLite's FTS5, sees it. */
const hasWord = (text: string): boolean => /[\p{L}\p{N}\p{Co}]/u.test(text);

/** Words that a text must have. */
export const words = (description: string) =>
  z
    .string()
    .min(1)
    .max(300)
    .refine(hasWord, 'has no word to look for; give letters or digits')
    .optional()
    .describe(`${description}; word* for any ending`);

/** What to try where no text has the words: whoever gives the beginning of a word must not think that there is nothing. */
export function otherEnding<Filter extends { search?: string | undefined }, Row>(
  filter: Filter,
  ask: (filter: Filter, page: Page) => ListPage<Row>,
): string | undefined {
  const { search } = filter;
  if (search === undefined || search.trimEnd().endsWith('*')) return undefined;
  const longer = `${search.trimEnd()}*`;
  const { rows } = ask({ ...filter, search: longer }, { order: 'newest', limit: 1, uncounted: true });
  return rows.length === 0 ? undefined : `No text has these whole words; search ${JSON.stringify(longer)} finds some.`;
}
