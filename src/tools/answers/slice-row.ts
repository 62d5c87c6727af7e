import * as z from 'zod';

import { sliceStatuses } from '../../domain/slice-states.ts';

/** A row of `list_tf_slices`. Times are ISO 8601. All fields are optional: a caller may ask for some of them. */
export const sliceRow = () =>
  z
    .strictObject({
      slice_filename: z.string(),
      slice_id: z.int(),
      tf_filename: z.string(),
      stf_filename: z.string().optional(),
      run_number: z.int().optional(),
      execution_id: z.string(),
      tf_first: z.int().optional(),
      tf_last: z.int().optional(),
      tf_count: z.int().optional(),
      status: z.enum(sliceStatuses),
      retries: z.int(),
      assigned_worker: z.string().optional(),
      host: z.string().optional().describe('Of its worker'),
      worker_gone: z.literal(true).optional(),
      created_at: z.string(),
      assigned_at: z.string().optional(),
      completed_at: z.string().optional(),
      seconds: z.number().optional().describe('From hand-over to result, wall time'),
      processing_seconds: z
        .number()
        .optional()
        .describe('As its worker measured it: wall time; the placeholder: simulated time'),
      error: z.string().optional(),
      payload: z.string().optional().describe('Name and digest; absent: the placeholder'),
      exit_code: z.int().optional().describe('Of the payload command'),
      signal: z.string().optional().describe('That ended the payload command'),
      output_tail: z.string().optional().describe('The end of its output, where it failed'),
      outputs: z
        .array(z.strictObject({ name: z.string(), size_bytes: z.int(), checksum: z.string() }))
        .optional()
        .describe('Files that it wrote'),
      outputs_folder: z
        .string()
        .optional()
        .describe('Absolute: in the data folder of the run; else below data.dir of host'),
      outputs_omitted: z.int().optional().describe('Files that are not listed'),
    })
    .partial();

export type SliceRow = z.infer<ReturnType<typeof sliceRow>>;
