import * as z from 'zod';

import {
  float,
  int,
  ints,
  object,
  objects,
  optionalBoolean,
  optionalFloat,
  optionalInt,
  optionalString,
  optionalTrue,
  string,
  strings,
} from '../../domain/fields.ts';

const numbers = () => ints;

/** The delays of a stage, in seconds of wall time. */
export const stageDelay = () => object({ stage: string, items: int, p50: float, p95: float, max: float });

/** The sites that process the STF files of a run. */
export const siteWork = () =>
  objects({
    site: optionalString,
    input_dataset: optionalString,
    output_dataset: optionalString,
    task_id: optionalString,
    handed_over_at: optionalString,
    registered: optionalInt.describe('All its files, in any state'),
    processing: optionalInt,
    processed: optionalInt,
    failed: optionalInt,
  });

const pictured = () => ({
  recorded_from: optionalString,
  from: optionalString,
  until: optionalString,
  bin_seconds: optionalFloat,
  bins: optionalInt,
  last_bin_complete: optionalBoolean,
  series: object({
    arrived: numbers(),
    completed: numbers(),
    failed_attempts: numbers(),
    exhausted: numbers(),
    queued: numbers(),
    processing: numbers(),
    queued_peak: numbers(),
    processing_peak: numbers(),
    mean_seconds: z.array(z.number().nullable()),
  })
    .optional()
    .describe(
      'queued and processing: at the end of a bin; peaks: within it; mean_seconds: from hand-over to result, for slices completed in it',
    ),
  levels: object({ step: float, queued: numbers(), processing: numbers() })
    .optional()
    .describe('Counts at the end of each step; step is in seconds'),
  phases: objects({ phase: string, start: string, end: optionalString, by: optionalString }).optional(),
  phases_omitted: optionalInt,
  latency: z.array(stageDelay().extend({ buckets: z.array(numbers()).optional() })).optional(),
});

const failures = () => ({
  causes: objects({
    cause: string,
    attempts: int,
    slices: int,
    exhausted: int,
    slots: int.describe('Slots known to have run the attempts'),
    worst_slot: optionalString,
    worst_slot_attempts: optionalInt,
    host: optionalString.describe('Host of all these attempts, if others ran elsewhere'),
    first: string,
    last: string,
    example: string,
    when: string.describe('One character per twentieth of the period'),
  }).optional(),
  causes_omitted: optionalInt,
});

const work = () => ({
  workers: objects({
    worker_id: string,
    completed: int,
    failed: int,
    busy_percent: float,
    mean_seconds: optionalFloat.describe('Of its finished attempts, including failed ones'),
    longest_seconds: float,
  }).optional(),
  slot_count: optionalInt,
  slots: strings.optional(),
  cells: strings.optional(),
  spans: z
    .array(numbers())
    .optional()
    .describe(
      'slot, start in ms after "from", duration in ms (-1: still running), state, index in stfs, slice, attempt',
    ),
  stfs: strings.optional(),
});

/**
 * The answer of `get_execution_timeline`. Only the head is present while the execution is being read, and if
 * nothing has changed.
 */
export const timelineAnswer = () =>
  object({
    execution_id: string,
    run_number: int,
    seq: optionalInt,
    data_as_of: optionalString,
    unchanged: optionalTrue,
    loading: optionalFloat.describe('Fraction read so far; call again'),
    note: optionalString,
    ...pictured(),
    ...failures(),
    ...work(),
    sites: siteWork().optional(),
  });

/** The answer, which may be returned while the execution is still being read. */
export type TimelineAnswer = z.infer<ReturnType<typeof timelineAnswer>>;

type Picture =
  | Exclude<keyof ReturnType<typeof pictured>, 'recorded_from' | 'phases_omitted' | 'levels'>
  | 'causes'
  | 'workers'
  | 'slot_count';

/** A timeline whose execution has been read completely. */
export type Timeline = TimelineAnswer & { [Part in Picture]: NonNullable<TimelineAnswer[Part]> };
