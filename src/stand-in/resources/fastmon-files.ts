import * as z from 'zod';

import { addedFields, count, fileName, textOf } from '../objects/fields.ts';
import { finderOf } from '../objects/finder.ts';
import type { Resource } from '../objects/resource.ts';
import { stfNamed } from './stf-files.ts';

/** TF files. They name no run and belong to the run of their STF file. */
export const fastmonFiles: Resource = {
  path: 'fastmon-files',
  isPaged: true,
  idField: 'tf_file_id',
  idKind: 'uuid',
  nameField: 'tf_filename',
  body: z.looseObject({
    stf_file: fileName(),
    tf_filename: fileName(),
    tf_first: count(),
    tf_last: count(),
    metadata: addedFields(),
  }),
  namesOf({ stf_file, tf_filename, metadata: told }, tx) {
    const tf = textOf(tf_filename) ?? '';
    const { agent_name } = (told ?? {}) as { agent_name?: unknown };
    const run_id = stfNamed(finderOf(tx.sql), textOf(stf_file) ?? '', textOf(agent_name))?.run_id;
    return { name: `${run_id ?? ''}/${tf}`, run_id, parent: tf, told_name: tf };
  },
  more: (_, at) => ({ checksum: null, created_at: at, updated_at: at }),
  again: 'refuse',
  find: ({ tf_filename, run_id }, find) => find.list('fastmon-files', { run_id, parent: tf_filename }),
  aliases: { stf_filename: 'stf_file', run_id: '' },
};
