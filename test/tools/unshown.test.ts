import { expect, it } from 'vitest';
import * as z from 'zod';

import { fitting } from '../../src/tools/run-tool.ts';

const schema = z.strictObject({
  items: z.array(z.strictObject({ id: z.int(), size: z.int().optional() })),
  words: z.array(z.string()),
  note: z.string().optional(),
});

it('values that do not fit the schema are removed with a note, and their neighbours stay', () => {
  const answer = {
    items: [{ id: 1, size: 5 }, { id: 2, size: 2 ** 60 }, { id: 3 }],
    words: ['a', null, 'b', null, 'c'],
  };
  expect(fitting(schema, answer)).toEqual({
    items: [{ id: 1, size: 5 }, { id: 2 }, { id: 3 }],
    words: ['a', 'b', 'c'],
    note: expect.stringMatching(/^The store contains values that cannot be shown: .*items\.1\.size/),
  });
});

it('an answer that fits the schema stays unchanged', () => {
  const answer = { items: [{ id: 1 }], words: ['a'] };
  expect(fitting(schema, answer)).toEqual(answer);
});

it('a required value that does not fit the schema is removed, and an existing note is kept', () => {
  expect(fitting(schema, { items: [{ id: 0.5, size: 1 }], words: [], note: 'This page is short.' })).toEqual({
    items: [{ size: 1 }],
    words: [],
    note: expect.stringMatching(/^This page is short\. The store contains values that cannot be shown: items\.0\.id/),
  });
});
