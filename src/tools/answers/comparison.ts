import * as z from 'zod';

const pair = z.strictObject({ a: z.number(), b: z.number() });

/** The answer of `compare_executions`. Delays are seconds of wall time. */
export const comparisonAnswer = () =>
  z.strictObject({
    a: z.string(),
    b: z.string(),
    status: z.strictObject({ a: z.string(), b: z.string() }),
    differences: z.array(z.string()),
    figures: z.record(z.string(), pair),
    stages: z.array(z.strictObject({ stage: z.string(), p50: pair, p95: pair, max: pair })),
    configuration: z.array(z.strictObject({ key: z.string(), a: z.string().optional(), b: z.string().optional() })),
    data_as_of: z.string().optional(),
  });

export type Comparison = z.infer<ReturnType<typeof comparisonAnswer>>;
