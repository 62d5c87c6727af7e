import * as z from 'zod';

import { registeredSlice } from '../../observed/reading/dialects.ts';
import { objectOf } from '../../observed/reading/values.ts';
import { addedFields, count, fileName, numberIn, runNumber, textOf } from '../objects/fields.ts';
import type { Finder } from '../objects/finder.ts';
import type { Body, Resource } from '../objects/resource.ts';

/** TF slices, which are identified by their run and file. */
export const tfSlices: Resource = {
  path: 'tf-slices',
  idField: 'id',
  idKind: 'number',
  nameField: 'slice_id',
  body: z.looseObject({
    slice_id: count().max(2 ** 31 - 1),
    tf_filename: fileName(),
    run_number: runNumber(),
    tf_first: count().nullish(),
    tf_last: count().nullish(),
    tf_count: count().nullish(),
    metadata: addedFields(),
  }),
  namesOf(body) {
    const run_id = textOf(body['run_number']) ?? '';
    const { slice_filename: told_name, tf_filename } = registeredSlice(body) ?? {};
    const parent = textOf(body['tf_file_id']) ?? tf_filename;
    return {
      name: `${run_id}/${told_name}`,
      run_id,
      number: Number(body['slice_id']),
      parent,
      ...(told_name === undefined ? {} : { told_name }),
    };
  },
  more: (body) => ({ fastmon_file: registeredSlice(body)?.tf_filename }),
  again: 'refuse',
  // A fast processing agent changes the first slice that it finds: leave out completed ones.
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

/** The slice that a change names in its result: the public programs take the first of its number in the run, whatever its file. */
function slotOf({ metadata }: Body, run: string | undefined, find: Finder) {
  const result = objectOf(objectOf(objectOf(metadata)['result'])['result']);
  const named = registeredSlice(result)?.slice_filename;
  return named === undefined ? undefined : find.named('tf-slices', `${run ?? ''}/${named}`);
}
