import * as z from 'zod';

import { sliceStatuses } from '../domain/slice-states.ts';
import { sliceOrders, timeFields } from '../domain/summary-words.ts';
import { pageAnswer } from './answers/page.ts';
import { sliceRow } from './answers/slice-row.ts';
import { listPage } from './shared/list.ts';
import { executionId, integer, itemFields, listArguments, runNumber, text, textOrNumber } from './shared/params.ts';
import { shownSlice } from './shared/shown-slice.ts';
import { defineTool } from './shared/tool.ts';

export const listTfSlicesTool = defineTool({
  name: 'list_tf_slices',
  title: 'List TF slices',
  description:
    'The Time Frame (TF) slices that workers process: queued, processing (who has it), completed or failed (why), with retries. ' +
    'status="failed": which failed; status="queued": what is piling up; order_by="seconds": the slowest. worker_gone: nobody works on it. ' +
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
      assigned_worker: textOrNumber(300, 'Worker (worker-agent-shifter-485/07), its agent, or a slot (7)'),
      min_retries: integer(0, 1000, 'Retries at least'),
      order_by: z.enum(sliceOrders).optional().describe('seconds: of its last attempt; order=newest: largest first'),
      time_field: z.enum(timeFields).optional().describe('Time that start_time and end_time mean (default created)'),
      fields: itemFields,
      ...listArguments('time_field'),
    }),
  output: () => pageAnswer(sliceRow()),
  handle(args, context) {
    const isGone = context.queries.goneWorkers();
    return listPage('list_tf_slices', args, context, {
      ask: context.queries.tfSlices,
      values: {
        assigned_worker: 'worker',
        stf_filename: 'STF file',
        tf_filename: 'TF sample',
        slice_filename: 'TF slice',
      },
      item: sliceRow,
      computed: (row) => ({
        ...shownSlice(row),
        worker_gone: row.status === 'processing' && isGone(row) ? true : null,
      }),
    });
  },
});
