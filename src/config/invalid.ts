import type * as z from 'zod';

import { issueWords } from '../domain/issue-words.ts';
import { configInvalid, SwfError } from '../lib/errors.ts';
import { closest } from '../lib/suggest.ts';
import { leafKeys } from './layers.ts';
import { knownKeys, sectionNames } from './schema.ts';
import { isTable, showValue, type Table } from './toml.ts';

/**
 * The first problem of a configuration as `CONFIG_INVALID`: file, key, value, and what is allowed.
 * @param originOf the file or flag that a dotted key came from
 */
export function problemOf(error: z.ZodError, table: Table, originOf: (dottedKey: string) => string): SwfError {
  const issue = error.issues[0] as z.core.$ZodIssue;
  if (issue.code === 'unrecognized_keys') {
    const key = [...issue.path, issue.keys[0]].join('.');
    const near = closest(key, [...knownKeys, ...sectionNames]);
    const hint =
      near === undefined ? `known sections are ${sectionNames.join(', ')}` : `the nearest known key is ${near}`;
    return configInvalid(`${originOf(firstLeaf(key, table))}: unknown key ${key}; ${hint}`);
  }
  const key = issue.path.join('.');
  const hint = issue.code === 'invalid_type' && issue.expected === 'string' ? '; write a string in quotes' : '';
  const value = valueAt(issue, table);
  return configInvalid(`${originOf(key)}: ${key} = ${shown(key, value)}: ${issueWords(issue, value)}${hint}`);
}

function shown(key: string, value: unknown): string {
  // A password is not shown, however wrong it is.
  if (key === 'broker.password') return '***';
  return value === undefined ? 'missing' : showValue(value);
}

const valueAt = ({ path }: z.core.$ZodIssue, table: Table): unknown =>
  path.reduce<unknown>(
    (inner, step) => (isTable(inner) || Array.isArray(inner) ? (inner as Table)[String(step)] : undefined),
    table,
  );

/** An unknown section has the origin of its first key. */
function firstLeaf(key: string, table: Table): string {
  const value = key.split('.').reduce<unknown>((inner, step) => (isTable(inner) ? inner[step] : undefined), table);
  return isTable(value) ? (leafKeys(value, `${key}.`)[0] ?? key) : key;
}
