import { optionalBoolean } from '../domain/fields.ts';
import { stfStatuses } from '../domain/states.ts';
import { present } from '../lib/present.ts';
import { objectsIn } from '../lib/read-json.ts';
import { sliceCount } from './list-tf-files.ts';
import { defineList } from './shared/list.ts';
import { choice, executionId, runNumber, text } from './shared/tool.ts';

export const listStfFilesTool = defineList({
  name: 'list_stf_files',
  title: 'List STF files',
  description:
    'The Super Time Frame (STF) files of a run: registered (announced by the DAQ), processed (measured by the data agent and ready) or failed, ' +
    'with size, checksum and the number of TF samples and slices from each. In prompt processing: announced, registered, processing (in PanDA), processed or failed.',
  input: () => ({
    run_number: runNumber,
    execution_id: executionId,
    status: choice(stfStatuses, 'State of the file'),
    stf_filename: text('Such as swf.101993.000001.stf'),
    has_slices: optionalBoolean.describe('Whether slices were cut from the file'),
    time_field: choice(['created', 'completed'], 'Which time start_time and end_time refer to (default created)'),
  }),
  window: 'time',
  isWide: true,
  ask: ({ queries }) => queries.stfFiles,
  computed: (context) => (row) => ({
    slice_count: sliceCount(row, context),
    sites: row.sites === null ? undefined : objectsIn(row.sites).map(present),
  }),
});
