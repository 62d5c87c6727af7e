import * as z from 'zod';

import { textOf } from '../objects/fields.ts';
import type { Resource } from '../objects/resource.ts';

/** Stages of other workflows: recorded, without effect. */
export const workflowStages: Resource = {
  path: 'workflow-stages',
  idField: 'id',
  idKind: 'number',
  nameField: 'stage_name',
  body: z.looseObject({}),
  namesOf: ({ execution, stage_name }) => ({ name: `${textOf(execution) ?? ''} ${textOf(stage_name) ?? ''}` }),
  more: (_, at) => ({ created_at: at }),
  again: 'replace',
};
