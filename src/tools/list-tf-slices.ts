import * as z from 'zod';

import { sliceOrders, timeFields } from '../domain/list-words.ts';
import { sliceStatuses } from '../domain/slice-states.ts';
import { printable } from '../lib/printable.ts';
import { objectsIn } from '../lib/read-json.ts';
import { rounded } from '../lib/rounded.ts';
import { shortDigests } from '../lib/short-digests.ts';
import { pageAnswer } from './answers/page.ts';
import { clipShown, endEscaped } from './shared/clip.ts';
import { listPage } from './shared/list.ts';
import {
  executionId,
  integer,
  itemFields,
  listArguments,
  present,
  requireRun,
  runNumber,
  text,
  timeField,
} from './shared/params.ts';
import { defineTool } from './shared/tool.ts';

/** A payload's error may be long; the monitor and the log have it too. */
const shownError = 500;

/** The result's message has four kilobytes of it. */
const shownOutput = 1000;

interface OutputFile {
  name: string;
  size_bytes: number;
  checksum: string;
}

/** All fields are optional: a caller may ask for some of them. */
const itemOf = () =>
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
      outputs_omitted: z.int().optional().describe('Files that are not listed'),
    })
    .partial();

export const listTfSlicesTool = defineTool({
  name: 'list_tf_slices',
  title: 'List TF slices',
  description:
    'The Time Frame (TF) slices that workers process: queued, processing (who has it), completed or failed (why), with retries. ' +
    'status="failed": which failed; status="queued": what is piling up; order_by="seconds": the slowest. worker_gone: nobody works on it. outputs: what a payload wrote. ' +
    'Its whole result: list_messages(message_type="slice_result", search=slice_filename).',
  takesMoment: true,
  input: () =>
    z.strictObject({
      run_number: runNumber,
      execution_id: executionId,
      stf_filename: text('Such as swf.101993.000001.stf'),
      tf_filename: text('Such as swf.101993.000001_tf_001.tf'),
      status: z.enum(sliceStatuses).optional().describe('State of the slice'),
      slice_filename: text('Such as swf.101993.000001_slice_003.tf'),
      assigned_worker: z
        .preprocess((value) => (typeof value === 'number' ? String(value) : value), z.string().min(1).max(300))
        .optional()
        .describe('Worker (worker-agent-wenauseic-485/07), its agent, or a slot (7)'),
      min_retries: integer(0, 1000, 'Tried again so often at least'),
      order_by: z.enum(sliceOrders).optional().describe('seconds: of its last attempt; order newest: largest first'),
      time_field: timeField(timeFields, 'Time that start_time and end_time mean (default created)'),
      fields: itemFields,
      ...listArguments('time_field'),
    }),
  output: () => pageAnswer(itemOf()),
  handle(args, context) {
    const filter = {
      ...args,
      run_number: requireRun(args.run_number, context),
    };
    const isGone = context.queries.goneWorkers();
    return listPage('list_tf_slices', args, context, {
      ask: (fixed, page) => context.queries.tfSlices({ ...filter, ...fixed }, page),
      values: {
        assigned_worker: 'worker',
        stf_filename: 'STF file',
        tf_filename: 'TF sample',
        slice_filename: 'TF slice',
      },
      fields: () => Object.keys(itemOf().shape),
      toItem: (row) =>
        present({
          slice_filename: row.slice_filename,
          slice_id: row.slice_id,
          tf_filename: row.tf_filename,
          stf_filename: row.stf_filename,
          run_number: row.run_number,
          execution_id: row.execution_id,
          tf_first: row.tf_first,
          tf_last: row.tf_last,
          tf_count: row.tf_count,
          status: row.status,
          retries: row.attempt - 1,
          assigned_worker: row.assigned_worker,
          worker_gone: row.status === 'processing' && isGone(row) ? (true as const) : null,
          created_at: row.created_at,
          assigned_at: row.assigned_at,
          completed_at: row.completed_at,
          seconds: milliseconds(row.seconds),
          processing_seconds: milliseconds(row.processing_seconds),
          error: row.error === null ? null : clipShown(row.error, shownError),
          payload: row.payload === null ? null : shortDigests(row.payload),
          exit_code: row.exit_code,
          signal: row.signal,
          output_tail: row.output_tail === null ? null : endEscaped(printable(row.output_tail), shownOutput),
          outputs: row.outputs === null ? null : (objectsIn(row.outputs) as unknown as OutputFile[]),
          outputs_omitted: row.outputs_omitted,
        }),
    });
  },
});

/** Seconds to the millisecond. */
const milliseconds = (seconds: number | null): number | null =>
  seconds === null ? null : Math.max(0, rounded(seconds));
