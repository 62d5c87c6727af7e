import * as z from 'zod';

import { addedFields, runNumber, textOf } from '../objects/fields.ts';
import type { Resource } from '../objects/resource.ts';

/** Phase and counts of a run, as its programs report them. */
export const runStates: Resource = {
  path: 'run-states',
  idField: 'run_number',
  idKind: 'run',
  nameField: 'run_number',
  body: z.looseObject({ run_number: runNumber(), metadata: addedFields() }),
  namesOf({ run_number, metadata: told }) {
    const run_id = textOf(run_number) ?? '';
    const { execution_id } = (told ?? {}) as { execution_id?: unknown };
    return { name: run_id, run_id, parent: textOf(execution_id), object_id: run_id };
  },
  more: ({ run_number }, at) => ({ run_number: Number(run_number), updated_at: at }),
  again: 'replace',
  unknown: (id) => ({
    run_number: Number(id),
    phase: 'unknown',
    state: 'unknown',
    substate: null,
    target_worker_count: 0,
    active_worker_count: 0,
    stf_samples_received: 0,
    slices_created: 0,
    slices_queued: 0,
    slices_processing: 0,
    slices_completed: 0,
    slices_failed: 0,
    metadata: {},
  }),
};
