import * as z from 'zod';

import { hasHidden, maxShortName } from '../../observed/reading/values.ts';
import type { Answer } from './resource.ts';

/** A file name: opaque text of at most 1,000 characters. */
export const fileName = () => z.string().min(1).max(1000);

/** An id or a name that fits into a path and on one line. */
export const word = () =>
  z
    .string()
    .min(1)
    .max(maxShortName)
    .refine((text) => !hasHidden(text), 'An id has only characters that can be seen.');

/** A run number, which some programs write as text. */
export const runNumber = () =>
  z.union([z.int().min(0), z.string().regex(/^(?:0|[1-9]\d{0,14})$/)], 'A run number is required, such as 102001.');

/** Extra fields that a program adds. */
export const addedFields = () => z.record(z.string(), z.unknown()).nullish();

export const count = () => z.int().min(0);

/** The text of a string or a number; undefined for any other value. */
export const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined;

/** A part of a query as a number; undefined if it is not a number. */
export const numberIn = (text = ''): number | undefined => (/^\d{1,9}$/.test(text) ? Number(text) : undefined);

const requiredWords = 'This field is required.';

/** The answer to a request without a field that it needs. */
export const without = (field: string): Answer => ({ status: 400, body: { [field]: [requiredWords] } });

/** The errors for each invalid field of a body, as swf-monitor gives them: `{field: [words]}`. */
export function wordsOf({ issues }: z.ZodError): Record<string, string[]> {
  const words: Record<string, string[]> = {};
  for (const { path, message, code, input } of issues) {
    const field = path.length === 0 ? 'detail' : path.join('.');
    const isMissing = code === 'invalid_type' && input === undefined;
    (words[field] ??= []).push(isMissing ? requiredWords : message);
  }
  return words;
}
