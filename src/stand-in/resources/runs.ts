import * as z from 'zod';

import { runNumber, textOf } from '../objects/fields.ts';
import type { Resource } from '../objects/resource.ts';

/** Data taking of a run. Its id is its number, so that a program may use one for the other. */
export const runs: Resource = {
  path: 'runs',
  idField: 'run_id',
  idKind: 'run',
  nameField: 'run_number',
  body: z.looseObject({ run_number: runNumber() }),
  namesOf({ run_number }) {
    const run_id = textOf(run_number) ?? '';
    return { name: run_id, run_id, object_id: run_id };
  },
  more: ({ run_number }) => ({ run_id: Number(run_number), end_time: null }),
  again: 'same',
};
