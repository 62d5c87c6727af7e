import * as z from 'zod';

import { textOf, word } from '../objects/fields.ts';
import type { Resource } from '../objects/resource.ts';

export const workflowDefinitions: Resource = {
  path: 'workflow-definitions',
  idField: 'id',
  idKind: 'number',
  nameField: 'workflow_name',
  body: z.looseObject({ workflow_name: word(), version: word() }),
  namesOf: ({ workflow_name, version }) => ({ name: `${textOf(workflow_name)} ${textOf(version)}` }),
  more: (_, at) => ({ created_at: at, updated_at: at }),
  again: 'replace',
};
