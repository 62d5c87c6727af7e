import { nextNumber, nextRunNumber, nextSequence } from '../../db/stand-in/numbers.ts';
import { textOf, without } from '../objects/fields.ts';
import type { Call } from './call.ts';

export const nextAgentId: Call = {
  method: 'POST',
  path: 'state/next-agent-id',
  answer: (tx) => ({ status: 200, body: { status: 'success', agent_id: nextNumber(tx, 'agent') } }),
};

/** Run numbers are unique within the store. */
export const nextRun: Call = {
  method: 'POST',
  path: 'state/next-run-number',
  answer: (tx) => ({ status: 200, body: { status: 'success', run_number: nextRunNumber(tx) } }),
};

export const nextExecution: Call = {
  method: 'POST',
  path: 'state/next-workflow-execution-id',
  answer(tx, { body }) {
    const workflow_name = textOf(body['workflow_name']);
    if (workflow_name === undefined || workflow_name === '') return without('workflow_name');
    return { status: 200, body: { status: 'success', workflow_name, sequence: nextSequence(tx, workflow_name) } };
  },
};
