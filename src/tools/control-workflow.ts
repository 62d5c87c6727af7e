import { boolean, int, object, oneOf, string } from '../domain/fields.ts';
import { actions } from '../domain/states.ts';
import { present } from '../lib/present.ts';
import type { CommandState, TestbedAnswer } from './shared/services.ts';
import { defineLiveTool, requestedBy, requiredExecution, text } from './shared/tool.ts';
import { controlOf, testbedAnswer } from './start-workflow.ts';

/**
 * How long to wait for the effect, in seconds: a driver checks for commands 20 times a second, and a client
 * waits at most a minute for an answer.
 */
const patienceSeconds = 10;

const allActions = [...actions, 'resume'] as const;

export const controlWorkflowTool = defineLiveTool({
  name: 'control_workflow',
  title: 'Pause, continue or stop an execution',
  description:
    'pause: makes no more STFs, and lets workers finish their current slices; continue: ends a pause; stop: ends the execution cleanly, even if its process was killed, and ' +
    'cannot be undone; resume: resumes an execution without a driver. effect: applied, refused (with the reason), or pending after 10 s.',
  input: () => ({
    execution_id: requiredExecution,
    action: oneOf(allActions).describe('pause, continue, stop or resume'),
    reason: text('The reason, for the record'),
    requested_by: requestedBy('The person who requested it'),
  }),
  output: () =>
    object({
      execution_id: string,
      action: oneOf(allActions),
      driver: object({ pid: int, host: string, alive: boolean }).optional(),
      effect: oneOf(['applied', 'refused', 'pending']),
      sentence: string,
      ...testbedAnswer(),
    }),
  writes: { destructive: true, idempotent: true },
  async perform({ execution_id: asked, action, reason, requested_by }, context) {
    const execution = context.queries().execution(asked);
    const { execution_id, namespace } = execution;
    const control = controlOf(context);
    const by = { name: context.caller(), claimed: requested_by };
    const request = { execution_id, reason, by, patienceSeconds };
    const told_id = context.queries().toldId(execution_id);
    if (action === 'stop' && told_id !== undefined) {
      const answer = await control.stopTheirs({ execution_id, told_id, namespace }, request);
      return { execution_id, action, ...stopped(answer) };
    }
    const state = await (action === 'resume' ? control.resume(request) : control.command(action, request));
    const driver = context.queries().driver(execution_id);
    return present({
      execution_id,
      action,
      ...state,
      driver: driver === undefined ? null : { pid: driver.pid, host: driver.hostname, alive: driver.isAlive() },
    });
  },
});

function stopped(answer: TestbedAnswer): TestbedAnswer & CommandState {
  if (answer.heard_as !== undefined)
    return { effect: 'applied', sentence: 'its programs were asked to stop it, and it has ended', ...answer };
  if (answer.sent_at === undefined)
    return {
      effect: 'refused',
      sentence: 'its observer could not send the request and will not retry; make the request again',
      ...answer,
    };
  return {
    effect: 'pending',
    sentence:
      'its programs were asked once to stop it; their bus does not report stops, so check with get_workflow_monitor',
    ...answer,
  };
}
