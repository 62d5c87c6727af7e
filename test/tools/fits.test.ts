import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';

import { everyTool } from '../../src/tools/index.ts';
import { fits } from '../../src/tools/shared/fits.ts';

const values = fc.anything({ withNullPrototype: false, withObjectString: true });

const schemas: Record<string, z.ZodType> = {
  string: z.string(),
  'bounded string': z.string().min(2),
  integer: z.int(),
  'bounded integer': z.int().nonnegative(),
  'integer of 32 bits': z.int32(),
  number: z.number(),
  boolean: z.boolean(),
  enum: z.enum(['a', 'b']),
  literal: z.literal(true),
  optional: z.string().optional(),
  nullable: z.string().nullable(),
  union: z.union([z.string(), z.int()]),
  record: z.record(z.string(), z.unknown()),
  array: z.array(z.int()),
  object: z.strictObject({ a: z.int(), b: z.string().optional(), c: z.unknown() }),
  'loose object': z.looseObject({ a: z.int() }),
};

describe('the check of a value against a schema', () => {
  it.each(Object.entries(schemas))('agrees with zod for this type: %s', (_, schema) => {
    const edges = [undefined, null, '', 'a', 'ab', 0, -1, 0.5, 2 ** 31, 2 ** 53, NaN, Infinity, true, [], [1, 'a'], {}];
    const objects = [{ a: 1, c: 1 }, { a: 1 }, { a: 1, b: undefined, c: null }, { a: 1, c: 1, d: 1 }, { a: 'x', c: 1 }];
    for (const value of [...edges, ...objects]) expect(fits(schema)(value)).toBe(schema.safeParse(value).success);
    fc.assert(fc.property(values, (value) => fits(schema)(value) === schema.safeParse(value).success));
  });

  it.each(everyTool.map(({ name, output }) => [name, output] as const))(
    'agrees with zod about the answers of %s',
    (_, output) => {
      const answers = fc.record(
        Object.fromEntries(Object.keys(output.shape).map((name) => [name, fc.oneof(values, fc.constant([]))])),
        { requiredKeys: [] },
      );
      fc.assert(fc.property(answers, (answer) => fits(output)(answer) === output.safeParse(answer).success));
    },
  );
});
