import type { TfSliceRow } from '../../db/lists/tf-slices.ts';
import { outputPath } from '../../domain/file-names.ts';
import { lastPrintable } from '../../lib/printable.ts';
import { objectsIn } from '../../lib/read-json.ts';
import { rounded } from '../../lib/rounded.ts';
import { shortDigests } from '../../lib/words.ts';
import { clipShown } from './clip.ts';

/** A payload's error may be long; the monitor and the log have it too. */
const shownError = 500;

/** The result's message has four kilobytes of it. */
const shownOutput = 1000;

/** The fields of a slice that are not shown as its row has them. */
export function shownSlice(row: TfSliceRow) {
  const outputs = objectsIn(row.outputs) as { name: string; size_bytes: number; checksum: string }[];
  return {
    retries: row.attempt - 1 + row.lost_starts,
    seconds: milliseconds(row.seconds),
    processing_seconds: milliseconds(row.processing_seconds),
    error: row.error === null ? undefined : clipShown(row.error, shownError),
    payload: row.payload === null ? undefined : shortDigests(row.payload),
    output_tail: row.output_tail === null ? undefined : lastPrintable(row.output_tail, shownOutput),
    outputs: row.outputs === null ? undefined : outputs,
    // A damaged list says nothing of a folder.
    outputs_folder: outputs.length === 0 && row.outputs_omitted === null ? undefined : outputsFolder(row),
  };
}

/** In the data folder of the run, or below that of a host that fetched the slice's file, which may have another name there. */
const outputsFolder = ({ outputs_root, execution_id, slice_filename, attempt }: TfSliceRow): string =>
  [outputs_root ?? [], execution_id, outputPath(slice_filename, attempt)].flat().join('/');

/** Seconds to the millisecond. */
const milliseconds = (seconds: number | null): number | null =>
  seconds === null ? null : Math.max(0, rounded(seconds));
