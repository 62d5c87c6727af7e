import * as z from 'zod';

import { sliceFilename } from '../../domain/file-names.ts';
import { addedFields, count, fileName, runNumber, textOf } from '../objects/fields.ts';
import type { Body, Finder, Resource } from '../objects/resource.ts';

/** The newer fork names the TF file of a slice; the public programs give the slice a file name of its own. */
const sliceName = ({ tf_filename, slice_id, fastmon_file }: Body): string =>
  fastmon_file === undefined ? String(tf_filename) : sliceFilename(String(tf_filename), Number(slice_id));

const tfOf = ({ tf_filename, fastmon_file }: Body): unknown =>
  fastmon_file ?? String(tf_filename).replace(/_slice_\d+(?=\.tf$)/, '');

/** TF slices, which are known by their run and file. */
export const tfSlices: Resource = {
  path: 'tf-slices',
  idField: 'id',
  idKind: 'number',
  nameField: 'slice_id',
  body: z.looseObject({
    slice_id: count(),
    tf_filename: fileName(),
    run_number: runNumber(),
    tf_first: count().nullish(),
    tf_last: count().nullish(),
    tf_count: count().nullish(),
    metadata: addedFields(),
  }),
  namesOf(body) {
    const run_id = textOf(body['run_number']) ?? '';
    const told_name = sliceName(body);
    const parent = textOf(body['tf_file_id']) ?? textOf(tfOf(body));
    return { name: `${run_id}/${told_name}`, run_id, number: Number(body['slice_id']), parent, told_name };
  },
  more: (body) => ({ fastmon_file: tfOf(body) }),
  again: 'refuse',
  isRow: true,
  // A fast processing agent changes the first that it finds: those that are done are not meant.
  find: ({ run_number, slice_id, fastmon_file_id }, find) =>
    find.list('tf-slices', {
      run_id: run_number,
      number: numberIn(slice_id),
      parent: fastmon_file_id,
      not: slice_id === undefined || fastmon_file_id !== undefined ? undefined : 'completed',
    }),
  target: (body, object, find) => slotOf(body, object.run_id, find) ?? object,
  aliases: { fastmon_file_id: '', fastmon_file__tf_filename: 'fastmon_file' },
};

const numberIn = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;

/** The slice that a change with a result names itself: the public programs take the first of its number in the run, whatever file that is of. */
function slotOf({ metadata }: Body, run: string | undefined, find: Finder) {
  const result = inner(inner(inner(metadata)['result'])['result']);
  const { tf_filename } = result;
  return typeof tf_filename === 'string' ? find.named('tf-slices', `${run ?? ''}/${tf_filename}`) : undefined;
}

const inner = (value: unknown): Body =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
