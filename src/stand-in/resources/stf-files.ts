import * as z from 'zod';

import { fileName, runNumber, textOf } from '../objects/fields.ts';
import type { Finder, Resource } from '../objects/resource.ts';

/** The STF file of a name of the newest run that has not ended; else of the newest that has. */
export function stfNamed(find: Finder, stf: string) {
  const all = find.list('stf-files', { parent: stf });
  return all.findLast(({ run_id }) => !hasEnded(find, run_id)) ?? all.at(-1);
}

const hasEnded = (find: Finder, run: string | undefined): boolean =>
  run !== undefined && (find.named('runs', run)?.document['end_time'] ?? null) !== null;

/** STF files. Their names come again in other runs, so each is known by its run. */
export const stfFiles: Resource = {
  path: 'stf-files',
  idField: 'file_id',
  idKind: 'uuid',
  body: z.looseObject({ run: runNumber(), stf_filename: fileName() }),
  namesOf({ run, stf_filename }) {
    const [run_id, stf] = [textOf(run) ?? '', textOf(stf_filename) ?? ''];
    return { name: `${run_id}/${stf}`, run_id, parent: stf, told_name: stf };
  },
  more: (_, at) => ({
    checksum: null,
    workflow_id: null,
    daq_state: null,
    daq_substate: null,
    workflow_status: null,
    tf_count: null,
    created_at: at,
  }),
  again: 'refuse',
  created: 201,
  isRow: true,
  // A data agent registers a file that it finds here no more: one of an earlier run is none of its run.
  find: ({ stf_filename, run_number }, find) =>
    stf_filename === undefined
      ? find.list('stf-files', { run_id: run_number })
      : find.list('stf-files', { parent: stf_filename }).filter(({ run_id }) => !hasEnded(find, run_id)),
  aliases: { run_number: 'run' },
};
