import { call } from '../../findings/rule.ts';
import { defineObserved } from './rule.ts';

export const idTwice = defineObserved('ID_TWICE', ({ execution_id, told_id, run_id }) =>
  execution_id === told_id
    ? undefined
    : {
        severity: 'warning',
        sentence: `Its programs call it ${told_id}, as they have called another run: here it is ${execution_id}, by its run ${run_id}.`,
        ids: [told_id],
        next: call('list_workflow_executions', {}),
      },
);
