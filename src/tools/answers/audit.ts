import * as z from 'zod';

/** The answer of `audit_execution`. The ids name the missing items. */
export const auditAnswer = () =>
  z.strictObject({
    execution_id: z.string(),
    status: z.string(),
    verdict: z.enum(['balanced', 'open', 'broken']),
    summary: z.string(),
    slices_failed: z.int().describe('Without a retry left'),
    checks: z.array(
      z.strictObject({
        check: z.string(),
        state: z.enum(['ok', 'open', 'broken', 'unknown']),
        expected: z.int(),
        found: z.int(),
        problem: z.string().optional(),
        ids: z.array(z.string()),
        id_count: z.int(),
      }),
    ),
    data_as_of: z.string().optional(),
  });

export type Audit = z.infer<ReturnType<typeof auditAnswer>>;
