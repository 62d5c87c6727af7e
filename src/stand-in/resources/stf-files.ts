import * as z from 'zod';

import type { Document } from '../../db/stand-in/objects.ts';
import { addedFields, fileName, runNumber, textOf } from '../objects/fields.ts';
import type { Finder } from '../objects/finder.ts';
import type { Resource } from '../objects/resource.ts';

/** Finds an STF file by name: in the newest open run in the agent's namespace, else in the newest open run, else in the newest run. */
export function stfNamed(find: Finder, stf: string, agent: string | undefined) {
  const all = find.list('stf-files', { parent: stf });
  const open = all.filter(({ run_id }) => !hasEnded(find, run_id));
  const namespace = agent === undefined ? undefined : find.named('systemagents', agent)?.document['namespace'];
  const theirs = open.findLast(({ run_id }) => executionOf(find, run_id)?.['namespace'] === namespace);
  return (namespace === undefined ? undefined : theirs) ?? open.at(-1) ?? all.at(-1);
}

/** A run has ended when its data taking or its execution has: after a stop nobody ends the data taking. */
function hasEnded(find: Finder, run: string | undefined): boolean {
  if (run === undefined) return false;
  if ((find.named('runs', run)?.document['end_time'] ?? null) !== null) return true;
  const { status = 'running' } = executionOf(find, run) ?? {};
  return status !== 'running';
}

function executionOf(find: Finder, run: string | undefined): Document | undefined {
  const metadata = run === undefined ? undefined : find.named('run-states', run)?.document['metadata'];
  const id = typeof metadata === 'object' && metadata !== null ? (metadata as Document)['execution_id'] : undefined;
  return typeof id === 'string' ? find.named('workflow-executions', id)?.document : undefined;
}

/** STF files. Their names recur in other runs, so each is identified by its run. */
export const stfFiles: Resource = {
  path: 'stf-files',
  isPaged: true,
  idField: 'file_id',
  idKind: 'uuid',
  nameField: 'stf_filename',
  body: z.looseObject({ run: runNumber(), stf_filename: fileName(), metadata: addedFields() }),
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
  // A data agent does not register a file that it finds here: hide files of earlier runs, which are not its own.
  find: ({ stf_filename, run_number }, find) =>
    stf_filename === undefined
      ? find.list('stf-files', { run_id: run_number })
      : find.list('stf-files', { parent: stf_filename }).filter(({ run_id }) => !hasEnded(find, run_id)),
  aliases: { run_number: 'run' },
};
