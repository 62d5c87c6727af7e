import TOML from '@iarna/toml';

import { configInvalid, messageOf, SwfError } from '../lib/errors.ts';
import { readRegularFile } from '../lib/file-system.ts';
import { isObject } from '../lib/read-json.ts';
import { tried } from '../lib/tried.ts';

/** A TOML table as a plain object. */
export type Table = Record<string, unknown>;

export const isTable = (value: unknown): value is Table => isObject(value) && !(value instanceof Date);

/** The value at a path of keys and indices; undefined if there is none. */
export const valueAt = (root: unknown, path: readonly PropertyKey[]) =>
  path.reduce(
    (inner, step) => (isTable(inner) || Array.isArray(inner) ? (inner as Table)[String(step)] : undefined),
    root,
  );

/** Reads a file. Throws `CONFIG_NOT_FOUND` or `CONFIG_INVALID`. */
export function readToml(path: string) {
  let text: string;
  try {
    text = readRegularFile(path).content.toString('utf8');
  } catch (error) {
    throw new SwfError(
      'CONFIG_NOT_FOUND',
      `the configuration file ${path} cannot be read (${messageOf(error)}); check the path`,
      { cause: error },
    );
  }
  return parseToml(text.replace(/^\uFEFF/, ''), path);
}

function parseToml(text: string, source: string) {
  try {
    // The parser's tables have hidden keys; a clone has only the keys of the file.
    return structuredClone(TOML.parse(text)) as Table;
  } catch (error) {
    const { line, col } = error as { line?: number; col?: number };
    // The parser counts lines and columns from 0.
    const place = line === undefined ? '' : ` line ${line + 1}, column ${(col ?? 0) + 1}`;
    const first = messageOf(error)
      .split('\n')[0]
      ?.replace(/ at row \d+, col \d+, pos \d+:?$/, '');
    throw configInvalid(`${source}${place}: ${first}; fix the TOML there`, { cause: error });
  }
}

/**
 * Parses a TOML value; any other text stays as it is, so `--set testbed.namespace=torre2` needs no quotes.
 */
export const tomlValue = (text: string) => tried(() => structuredClone(TOML.parse(`value = ${text}`)['value'])) ?? text;

/** Formats a value much as a person would write it. */
export function showValue(value: unknown) {
  if (typeof value === 'bigint' || typeof value === 'number') return String(value);
  if (value instanceof Date) return value.toISOString();
  // Nested values may hold big integers, which `JSON.stringify` does not accept.
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner));
}
