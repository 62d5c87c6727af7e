import * as z from 'zod';

const waits = () =>
  z.strictObject({
    end: z.string().optional().describe('Of the last slice; absent where some find no worker'),
    wait_p50: z.number().optional(),
    wait_p95: z.number().optional(),
    wait_max: z.number().optional(),
    backlog_max: z.int(),
    slices: z.int(),
    slices_failed: z.int().optional().describe('Absent if unknown'),
    worker_slots: z.int(),
    undone: z.int().optional().describe('Attempts that no worker was left for'),
  });

/** A run as it was, as replayed, and as it would go with changes. Seconds and times are wall time. */
export const asPlayedAnswer = () =>
  z.strictObject({
    execution_id: z.string(),
    real_end: z.string(),
    replayed_end: z.string(),
    off_percent: z.number().describe('Of the time from start to end, by which the model misses'),
    was: waits(),
    replayed: waits(),
    changed: waits().optional(),
    from: z.string(),
    bin_seconds: z.number(),
    backlog: z
      .strictObject({ was: z.array(z.int()), replayed: z.array(z.int()), changed: z.array(z.int()).optional() })
      .describe('Slices that wait at the end of each bin'),
  });

export type AsPlayed = z.infer<ReturnType<typeof asPlayedAnswer>>;
