import type { TfSliceRow } from '../db/lists/tf-slices.ts';
import { outputPath } from '../domain/file-names.ts';
import { sliceStatuses } from '../domain/slice-states.ts';
import { sliceOrders, timeFields } from '../domain/summary-words.ts';
import { lastPrintable } from '../lib/printable.ts';
import { objectsIn } from '../lib/read-json.ts';
import { rounded } from '../lib/rounded.ts';
import { shortDigests } from '../lib/words.ts';
import { clipShown } from './shared/clip.ts';
import { defineList } from './shared/list.ts';
import { choice, executionId, integer, runNumber, text, textOrNumber, type ToolContext } from './shared/tool.ts';

/**
 * How many characters of a payload's error to show: errors may be long, and the monitor and the log have them
 * too.
 */
const shownError = 500;

/** How many characters of a payload's output to show; the message with the result contains four kilobytes of it. */
const shownOutput = 1000;

export const listTfSlicesTool = defineList({
  name: 'list_tf_slices',
  title: 'List TF slices',
  description:
    'The Time Frame (TF) slices that workers process: queued, processing (and where), completed or failed (why), with retries. ' +
    'status="failed": what failed; status="queued": what is piling up; order_by="seconds": the slowest. worker_gone: the worker is gone. ' +
    'Full result: list_messages(message_type="slice_result", search=slice_filename).',
  input: () => ({
    run_number: runNumber,
    execution_id: executionId,
    stf_filename: text('Such as swf.101993.000001.stf'),
    tf_filename: text('Such as swf.101993.000001_tf_001.tf'),
    status: choice(sliceStatuses, 'State of the slice'),
    slice_filename: text('Such as swf.101993.000001_slice_003.tf'),
    assigned_worker: textOrNumber(300, 'Worker (worker-agent-shifter-485/07), its agent, or a slot (7)'),
    min_retries: integer(0, 1000, 'At least this many retries'),
    order_by: choice(sliceOrders, 'seconds: duration of the last attempt; newest means longest first'),
    time_field: choice(timeFields, 'Which time start_time and end_time refer to (default created)'),
  }),
  window: 'time',
  isWide: true,
  ask: ({ queries }) => queries.tfSlices,
  whenEmpty: whyNoSlices,
  computed({ queries }) {
    const isGone = queries.goneWorkers();
    return (row) => ({
      worker_gone: row.status === 'processing' && isGone(row) ? true : null,
      ...shownSlice(row),
    });
  },
});

/** Why no slices are found, if the slices of the execution or run cannot be seen. */
export function whyNoSlices(
  { queries }: ToolContext,
  { execution_id, run_number }: { execution_id?: string | undefined; run_number?: number | undefined },
) {
  const id = execution_id ?? (run_number === undefined ? undefined : queries.executionOfRun(run_number));
  return id === undefined ? undefined : queries.whyUnseen(id);
}

/** The fields of a slice that differ from those of its row. */
export function shownSlice(row: TfSliceRow) {
  const outputs = objectsIn(row.outputs) as { name: string; size_bytes: number; checksum: string }[];
  return {
    retries: row.attempt - 1 + row.lost_starts,
    seconds: milliseconds(row.seconds),
    processing_seconds: milliseconds(row.processing_seconds),
    error: clipShown(row.error, shownError),
    payload: row.payload === null ? undefined : shortDigests(row.payload),
    output_tail: row.output_tail === null ? undefined : lastPrintable(row.output_tail, shownOutput),
    outputs: row.outputs === null ? undefined : outputs,
    // If the list of outputs is damaged, it is unknown whether there is a folder.
    outputs_folder: outputs.length === 0 && row.outputs_omitted === null ? undefined : outputsFolder(row),
  };
}

/**
 * The folder of a slice's outputs: an absolute path if it is in the run's data folder, or a path relative
 * to the data folder of the host that fetched the slice's file.
 */
const outputsFolder = ({ outputs_root, execution_id, slice_filename, attempt }: TfSliceRow) =>
  [outputs_root ?? [], execution_id, outputPath(slice_filename, attempt)].flat().join('/');

/** Seconds, rounded to the millisecond. */
const milliseconds = (seconds: number | null) => (seconds === null ? null : Math.max(0, rounded(seconds)));
