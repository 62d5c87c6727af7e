import * as z from 'zod';

import { sliceRow } from './slice-row.ts';

/** The frames of a slice, and how its last attempt went, with the fields of `list_tf_slices`. */
const sliceResult = () =>
  sliceRow().pick({
    host: true,
    tf_first: true,
    tf_last: true,
    seconds: true,
    exit_code: true,
    signal: true,
    output_tail: true,
    outputs: true,
    outputs_folder: true,
    outputs_omitted: true,
  });

/** The answer of `trace_data_product`. Times are ISO 8601, delays seconds of wall time. */
export const traceAnswer = () =>
  z.strictObject({
    filename: z.string(),
    kind: z.enum(['stf', 'tf', 'slice']),
    execution_id: z.string(),
    run_number: z.int().optional(),
    status: z.string(),
    stf_filename: z.string().optional(),
    tf_filename: z.string().optional(),
    attempts: z.int().optional().describe('That a worker began'),
    worker: z.string().optional(),
    payload: z.string().optional().describe('Of a slice: name and digest'),
    slice: sliceResult().optional(),
    standing: z.string().optional().describe('How a slice stands now'),
    waiting_seconds: z.number().optional(),
    queued_before: z.int().optional().describe('Slices of its execution that come before it'),
    hops: z.array(
      z.strictObject({
        type: z.string(),
        time: z.string(),
        delay_seconds: z.number().optional(),
        by: z.string().optional(),
        worker: z.string().optional(),
        attempt: z.int().optional(),
        outcome: z.string().optional(),
        effect: z.string(),
        note: z.string().optional(),
        message_id: z.string(),
      }),
    ),
    more_hops: z.boolean().optional().describe('There are more than are shown'),
    total_seconds: z.number(),
    slices: z.record(z.string(), z.int()).optional(),
    logs: z.array(z.strictObject({ time: z.string(), agent: z.string(), message: z.string(), log_id: z.int() })),
    data_as_of: z.string().optional(),
  });

export type Trace = z.infer<ReturnType<typeof traceAnswer>>;
