import * as z from 'zod';

import { stfStatuses } from '../domain/states.ts';
import { pageAnswer } from './answers/page.ts';
import { listPage } from './shared/list.ts';
import { choice, executionId, itemFields, listArguments, runNumber, text } from './shared/params.ts';
import { defineTool } from './shared/tool.ts';

/** All fields are optional: a caller may ask for some of them. */
const itemOf = () =>
  z
    .strictObject({
      stf_filename: z.string(),
      run_number: z.int().optional(),
      execution_id: z.string(),
      sequence: z.int().optional(),
      status: z.enum(stfStatuses),
      checksum: z.string().optional(),
      size_bytes: z.int().optional(),
      tf_count: z.int().optional(),
      tf_file_count: z.int(),
      slice_count: z.int(),
      created_at: z.string(),
      processed_at: z.string().optional(),
    })
    .partial();

export const listStfFilesTool = defineTool({
  name: 'list_stf_files',
  title: 'List STF files',
  description:
    'The Super Time Frame (STF) files of a run: registered (announced by the DAQ), processed (measured by the data agent and ready) or failed, ' +
    'with size, checksum and how many TF samples and slices were made of each. For the slices use list_tf_slices(stf_filename=…).',
  takesMoment: true,
  input: () =>
    z.strictObject({
      run_number: runNumber,
      execution_id: executionId,
      status: choice(stfStatuses, 'State of the file'),
      stf_filename: text('Such as swf.101993.000001.stf'),
      has_slices: z.boolean().optional().describe('Whether slices were made of it'),
      time_field: choice(['created', 'completed'], 'Time that start_time and end_time mean (default created)'),
      fields: itemFields,
      ...listArguments('time_field'),
    }),
  output: () => pageAnswer(itemOf()),
  handle: (args, context) =>
    listPage('list_stf_files', args, context, {
      ask: context.queries.stfFiles,
      values: { stf_filename: 'STF file' },
      item: itemOf,
    }),
});
