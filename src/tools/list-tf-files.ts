import * as z from 'zod';

import { pageAnswer } from './answers/page.ts';
import { listPage } from './shared/list.ts';
import { executionId, listArguments, runNumber, text } from './shared/params.ts';
import { defineTool } from './shared/tool.ts';

const itemOf = () =>
  z.strictObject({
    tf_filename: z.string(),
    stf_filename: z.string().optional(),
    run_number: z.int().optional(),
    execution_id: z.string(),
    tf_first: z.int().optional(),
    tf_last: z.int().optional(),
    tf_count: z.int().optional(),
    size_bytes: z.int().optional(),
    slice_count: z.int(),
    created_at: z.string(),
  });

export const listTfFilesTool = defineTool({
  name: 'list_tf_files',
  title: 'List TF samples',
  description:
    'The Time Frame (TF) samples that fastmon took of the STF files of a run: which frames each holds, its size, and how many slices were cut of it. ' +
    'For the slices use list_tf_slices(tf_filename=…).',
  takesMoment: true,
  input: () =>
    z.strictObject({
      run_number: runNumber,
      execution_id: executionId,
      stf_filename: text('Such as swf.101993.000001.stf'),
      tf_filename: text('Such as swf.101993.000001_tf_001.tf'),
      ...listArguments('created_at'),
    }),
  output: () => pageAnswer(itemOf()),
  handle: (args, context) =>
    listPage('list_tf_files', args, context, {
      ask: context.queries.tfFiles,
      values: { stf_filename: 'STF file', tf_filename: 'TF sample' },
      item: itemOf,
    }),
});
