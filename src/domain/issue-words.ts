import type * as z from 'zod';

import { closest } from '../lib/suggest.ts';

const kinds: Readonly<Record<string, string>> = {
  number: 'a number',
  int: 'a whole number',
  string: 'text',
  boolean: 'true or false',
  array: 'a list',
  object: 'a table of keys and values',
  record: 'a table of keys and values',
};

type Issue = z.core.$ZodIssue;

/** Rewords a schema's complaint about a value: says what is allowed, and names the most similar value. */
export function issueWords(issue: Issue, given?: unknown) {
  if (issue.code === 'invalid_type') return `must be ${kinds[issue.expected] ?? issue.expected}`;
  if (issue.code === 'invalid_value') return choiceWords(issue, given);
  return boundWords(issue) ?? issue.message;
}

function choiceWords({ values: allowed }: Extract<Issue, { code: 'invalid_value' }>, given: unknown) {
  const values = allowed.map(String);
  const near = typeof given === 'string' ? closest(given, values) : undefined;
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  return `must be ${values.length === 1 ? '' : 'one of '}${values.join(', ')}${hint}`;
}

/** States the bound on a number or on a text's length. For a list, the schema's own words are used. */
function boundWords(issue: Issue) {
  if (issue.code !== 'too_big' && issue.code !== 'too_small') return undefined;
  if (issue.origin === 'string') {
    if (issue.code === 'too_big') return `must be at most ${issue.maximum} characters`;
    return Number(issue.minimum) === 1 ? 'must not be empty' : `must be at least ${issue.minimum} characters`;
  }
  if (issue.origin !== 'number' && issue.origin !== 'int') return undefined;
  const isOpen = issue.inclusive === false;
  return issue.code === 'too_big'
    ? `must be ${isOpen ? 'less than' : 'at most'} ${issue.maximum}`
    : `must be ${isOpen ? 'more than' : 'at least'} ${issue.minimum}`;
}
