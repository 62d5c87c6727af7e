import * as z from 'zod';

const numbers = () => z.array(z.int());

/** The delays of a stage, in seconds of wall time. */
export const stageDelay = () =>
  z.strictObject({ stage: z.string(), items: z.int(), p50: z.number(), p95: z.number(), max: z.number() });

const pictured = () => ({
  from: z.string().optional(),
  until: z.string().optional(),
  bin_seconds: z.number().optional(),
  bins: z.int().optional(),
  last_bin_complete: z.boolean().optional(),
  series: z
    .strictObject({
      arrived: numbers(),
      completed: numbers(),
      failed_attempts: numbers(),
      exhausted: numbers(),
      queued: numbers(),
      processing: numbers(),
      mean_seconds: z.array(z.number().nullable()),
    })
    .optional()
    .describe(
      'queued and processing at the end of a bin; mean_seconds: hand-over to result, wall time, of slices completed in it',
    ),
  phases: z
    .array(
      z.strictObject({ phase: z.string(), start: z.string(), end: z.string().optional(), by: z.string().optional() }),
    )
    .optional(),
  phases_omitted: z.int().optional(),
  latency: z.array(stageDelay().extend({ buckets: z.array(numbers()).optional() })).optional(),
});

const failures = () => ({
  causes: z
    .array(
      z.strictObject({
        cause: z.string(),
        attempts: z.int(),
        slices: z.int(),
        exhausted: z.int(),
        slots: z.int().describe('worker slots known to have had them'),
        worst_slot: z.string().optional(),
        worst_slot_attempts: z.int().optional(),
        host: z.string().optional().describe('of all these attempts, if others were elsewhere'),
        first: z.string(),
        last: z.string(),
        example: z.string(),
        when: z.string(),
      }),
    )
    .optional(),
  causes_omitted: z.int().optional(),
});

const work = () => ({
  workers: z
    .array(
      z.strictObject({
        worker_id: z.string(),
        completed: z.int(),
        failed: z.int(),
        busy_percent: z.number(),
        mean_seconds: z.number().optional().describe('Of its ended attempts, failed ones too'),
        longest_seconds: z.number(),
      }),
    )
    .optional(),
  slot_count: z.int().optional(),
  slots: z.array(z.string()).optional(),
  cells: z.array(z.string()).optional(),
  spans: z
    .array(numbers())
    .optional()
    .describe('slot, start and duration in ms from "from" (-1: goes on), state, STF of stfs, slice, attempt'),
  stfs: z.array(z.string()).optional(),
});

/** The answer of `get_execution_timeline`. Everything but the head is absent while the execution is being read, or if nothing has changed. */
export const timelineAnswer = () =>
  z.strictObject({
    execution_id: z.string(),
    run_number: z.int(),
    seq: z.int().optional(),
    data_as_of: z.string().optional(),
    unchanged: z.literal(true).optional(),
    loading: z.number().optional().describe('The part that is read: ask again'),
    note: z.string().optional(),
    ...pictured(),
    ...failures(),
    ...work(),
  });

/** The answer, which may come while the execution is still being read. */
export type TimelineAnswer = z.infer<ReturnType<typeof timelineAnswer>>;

type Picture = Exclude<keyof ReturnType<typeof pictured>, 'phases_omitted'> | 'causes' | 'workers' | 'slot_count';

/** A timeline that has been read. */
export type Timeline = TimelineAnswer & { [Part in Picture]: NonNullable<TimelineAnswer[Part]> };
