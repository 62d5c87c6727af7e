import * as z from 'zod';

import type { ValueKind } from '../../db/lists/known-values.ts';
import type { ListPage, Page } from '../../db/lists/list-query.ts';
import { clipShown } from './clip.ts';
import type { ToolContext } from './tool.ts';

const shown = 80;

/** Arguments that may name something that does not exist anywhere, each with the kind of thing that it names. */
const kinds: Readonly<Record<string, ValueKind>> = {
  message_type: 'message type',
  namespace: 'namespace',
  executed_by: 'user',
  workflow_name: 'workflow',
  site: 'site',
  assigned_worker: 'worker',
  stf_filename: 'STF file',
  tf_filename: 'TF sample',
  slice_filename: 'TF slice',
};

/**
 * Explains an empty list if a filter names something that does not exist anywhere: a misspelled name must not
 * suggest that there is nothing. Undefined if every value exists.
 * @param agents the kind of names that the `agent` argument takes
 */
export function nowhereNote(
  args: Readonly<Record<string, unknown>>,
  { execution_id }: { execution_id?: string | undefined },
  { queries }: Pick<ToolContext, 'queries'>,
  agents: ValueKind = 'message sender',
): string | undefined {
  const notes = Object.entries({ agent: agents, ...kinds }).flatMap(([name, kind]) => {
    const value = args[name];
    if (typeof value !== 'string') return [];
    const near = queries.nearestKnown(kind, value);
    if (near === undefined) return [];
    const there =
      near.length === 0
        ? `there is no ${kind} yet`
        : `${kind === 'site' ? 'the known sites' : 'the nearest'} are ${near.map((one) => clipShown(one, shown)).join(', ')}`;
    return `${name} ${JSON.stringify(clipShown(value, shown))} was not found; ${there}.`;
  });
  const run = args['run_number'];
  if (typeof run === 'number' && execution_id !== undefined) {
    const owner = queries.executionOfRun(run);
    if (owner !== undefined && owner !== execution_id)
      notes.push(`run_number ${run} belongs to ${owner}, not to ${execution_id}.`);
  }
  return notes.length === 0 ? undefined : notes.join(' ');
}

/** Whether a text contains a word according to `unicode61`, the tokenizer of SQLite's FTS5. */
const hasWord = (text: string) => /[\p{L}\p{N}\p{Co}]/u.test(text);

/**
 * A search for words by their first one or two letters, which is refused: collecting all matching words would
 * take seconds.
 */
const tooShort = /(?:^|[^\p{L}\p{N}\p{Co}])[\p{L}\p{N}\p{Co}]{0,2}\s*\*\s*$/u;

/** An argument with words that a text must contain. */
export const words = (description: string) =>
  z
    .string()
    .max(300)
    .refine(hasWord, 'has no word to search for; give letters or digits')
    .refine(
      (text) => !tooShort.test(text),
      'has too few characters before the *; give at least three letters or digits',
    )
    .optional()
    .describe(`${description}; word* for any ending`);

/**
 * Explains an empty answer. A client that searched for the beginning of a word, used a search operator, or
 * searched for something other than words must not conclude that there is nothing.
 */
export function otherWords<Filter extends { search?: string | undefined }, Row>(
  filter: Filter,
  ask: (filter: Filter, page: Page) => ListPage<Row>,
): string | undefined {
  const { search } = filter;
  if (search === undefined) return undefined;
  const nothing =
    'Of the rows that match the other arguments, none has these whole words in this order. A trailing * stands for any ending; AND, OR, NOT and a * elsewhere are not operators. Agents, runs and times are not searched: they have their own arguments.';
  const longer = `${search.trimEnd()}*`;
  if (search.trimEnd().endsWith('*') || tooShort.test(longer)) return nothing;
  const { rows } = ask({ ...filter, search: longer }, { order: 'newest', limit: 1, uncounted: true });
  return rows.length === 0 ? nothing : `${nothing} Searching for ${JSON.stringify(longer)} finds some.`;
}
