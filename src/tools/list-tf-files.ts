import { defineList } from './shared/list.ts';
import { executionId, runNumber, text, type ToolContext } from './shared/tool.ts';

/** How many slices were cut from a file; undefined if the slices of its execution cannot be seen. */
export const sliceCount = (
  { slice_count, execution_id }: { slice_count: number | null; execution_id: string },
  { queries }: Pick<ToolContext, 'queries'>,
) =>
  slice_count === null || (slice_count === 0 && queries.whyUnseen(execution_id) !== undefined)
    ? undefined
    : slice_count;

export const listTfFilesTool = defineList({
  name: 'list_tf_files',
  title: 'List TF samples',
  description:
    'The Time Frame (TF) samples that fastmon took from the STF files of a run: the frames in each, its size, and how many slices were cut from it. ' +
    'For the slices, use list_tf_slices(tf_filename=…).',
  input: () => ({
    run_number: runNumber,
    execution_id: executionId,
    stf_filename: text('Such as swf.101993.000001.stf'),
    tf_filename: text('Such as swf.101993.000001_tf_001.tf'),
  }),
  window: 'created_at',
  ask: ({ queries }) => queries.tfFiles,
  computed: (context) => (row) => ({ slice_count: sliceCount(row, context) }),
});
