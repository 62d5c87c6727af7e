import { describe, expect, it } from 'vitest';
import * as z from 'zod';

import { issueWords } from '../../src/domain/issue-words.ts';

const wordsFor = (schema: z.ZodType, value: unknown): string => {
  const [issue] = schema.safeParse(value).error?.issues ?? [];
  if (issue === undefined) throw new Error('the value is allowed');
  return issueWords(issue, value);
};

describe('a value that a schema refuses', () => {
  it.each<[string, z.ZodType, unknown]>([
    ['must be a number', z.number(), 'x'],
    ['must be a whole number', z.int(), 1.5],
    ['must be text', z.string(), 1],
    ['must be true or false', z.boolean(), 'yes'],
    ['must be a list', z.array(z.string()), 'x'],
    ['must be a table of keys and values', z.object({}), 1],
    ['must be a table of keys and values', z.record(z.string(), z.string()), 1],
    ['must be null', z.null(), 1],
    ['must be at most 5', z.number().max(5), 6],
    ['must be less than 5', z.number().lt(5), 5],
    ['must be at least 1', z.number().min(1), 0],
    ['must be more than 0', z.number().gt(0), 0],
    ['must be at most 5', z.int().max(5), 6],
    ['must be at most 3 characters', z.string().max(3), 'abcd'],
    ['must be at least 3 characters', z.string().min(3), 'ab'],
    ['must not be empty', z.string().min(1), ''],
    ['must be one of red, green, blue', z.enum(['red', 'green', 'blue']), 5],
    ['must be one of red, green, blue; did you mean green?', z.enum(['red', 'green', 'blue']), 'gren'],
    ['must be one of red, green, blue', z.enum(['red', 'green', 'blue']), 'something else'],
    ['must be max', z.literal('max'), 5],
  ])('leads to this message: %s', (words, schema, value) => {
    expect(wordsFor(schema, value)).toBe(words);
  });

  it("leads to the schema's message if there is no plainer one", () => {
    expect(wordsFor(z.array(z.string()).max(1), ['a', 'b'])).toMatch(/array/);
    expect(wordsFor(z.string().regex(/^a/, 'begins with a'), 'b')).toBe('begins with a');
  });
});
