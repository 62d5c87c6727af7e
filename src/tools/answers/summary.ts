import * as z from 'zod';

import { summarized, summaryKeys } from '../../domain/summary-words.ts';

/** Sums as returned, as far as they fit the kind of rows. */
const sums = () => ({
  count: z.int(),
  slices: z.int().optional().describe('Of attempts: different slices'),
  stay_failed: z.int().optional().describe('Of attempts: failures in which their slices stand'),
  failed: z.int().optional(),
  retries: z.int().optional(),
  bytes: z.int().optional(),
  seconds: z.strictObject({ mean: z.number(), p50: z.number(), p95: z.number(), max: z.number() }).optional(),
});

export type Sums = z.infer<z.ZodObject<ReturnType<typeof sums>>>;

/** Every key of a group, whatever is summarized. */
export const everyKey = [...new Set(Object.values(summaryKeys).flat())];

const keys = () => Object.fromEntries(everyKey.map((key) => [key, z.string().optional()]));

/** The answer of `summarize`. Durations are seconds of wall time. A group has the requested keys. */
export const summaryAnswer = () =>
  z.strictObject({
    what: z.enum(summarized),
    counts: z.string().describe('The rows that are counted'),
    groups: z.array(z.strictObject({ ...keys(), example: z.string().optional(), ...sums() })),
    groups_omitted: z.int(),
    total: z.strictObject(sums()),
    execution_id: z.string().optional(),
    start_time: z.string().optional(),
    end_time: z.string().optional(),
    data_as_of: z.string().optional(),
    note: z.string().optional(),
  });

type Told = z.infer<ReturnType<typeof summaryAnswer>>;

export type Summary = Omit<Told, 'groups'> & { groups: (Sums & Readonly<Record<string, unknown>>)[] };
