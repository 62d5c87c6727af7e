import * as z from 'zod';

import { actions } from '../domain/states.ts';
import { text } from './shared/params.ts';
import { defineLiveTool } from './shared/tool.ts';
import { controlOf } from './start-workflow.ts';

/** A driver looks for commands 20 times a second; a client waits a minute at most. */
const patienceSeconds = 10;

export const controlWorkflowTool = defineLiveTool({
  name: 'control_workflow',
  title: 'Pause, continue or stop an execution',
  description:
    'pause: no STF is made, workers finish the slice in hand; continue: lets it go on; stop: ends it in order, also one whose process was killed, and cannot ' +
    'be taken back. Answers when the effect is seen (effect applied), is refused with the reason, or says after 10 s that it is not yet (pending).',
  input: z.strictObject({
    execution_id: z.string().min(1).max(300).describe('Execution id, or "latest"'),
    action: z.enum(actions).describe('pause, continue or stop'),
    reason: text('Why, for the record (stop)'),
  }),
  output: z.strictObject({
    execution_id: z.string(),
    action: z.enum(actions),
    effect: z.enum(['applied', 'refused', 'pending']),
    sentence: z.string(),
  }),
  writes: { destructive: true, idempotent: true },
  async perform({ execution_id, action, reason }, context) {
    const { execution_id: id } = context.queries().execution(execution_id);
    const state = await controlOf(context).command(action, id, reason, patienceSeconds);
    return { execution_id: id, action, ...state };
  },
});
