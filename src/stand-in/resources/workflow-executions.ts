import * as z from 'zod';

import { textOf, word } from '../objects/fields.ts';
import type { Resource } from '../objects/resource.ts';

export const workflowExecutions: Resource = {
  path: 'workflow-executions',
  idField: 'execution_id',
  idKind: 'text',
  nameField: 'execution_id',
  body: z.looseObject({ execution_id: word(), namespace: z.string().max(200).nullish() }),
  namesOf({ execution_id }) {
    const name = textOf(execution_id) ?? '';
    return { name, object_id: name };
  },
  more: () => ({ end_time: null, performance_metrics: null }),
  // Newly set up monitors give the same ids again.
  again: 'replace',
  runOf: (id, find) => find.newestRun(id),
  // Fast processing requests the execution that a message names; an answer without parameters lets it go on with its own.
  unknown: (id, find) => ({
    execution_id: id,
    namespace: null,
    status: 'running',
    executed_by: null,
    start_time: null,
    end_time: null,
    ...find.execution(id),
    parameter_values: {},
  }),
};
