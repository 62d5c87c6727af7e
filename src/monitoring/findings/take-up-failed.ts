import { defineFinding } from './rule.ts';

/** After so many take-ups without anything new an execution is left alone. */
export const mostTakeUps = 3;

/** A service has given up on an execution whose drivers came to nothing. */
export const takeUpFailed = defineFinding(
  'TAKE_UP_FAILED',
  ({ facts, evidence: { execution_id, take_ups, driver, drivers } }) => {
    const isDriven = driver?.alive === true && drivers.at(-1)?.until === undefined;
    if (facts.status !== 'running' || take_ups < mostTakeUps || isDriven) return undefined;
    const { code, reason } = drivers.findLast(({ ended }) => ended === 'fault') ?? {};
    const cause = reason === undefined ? 'Its drivers came to nothing' : `${code ?? 'a bug'}: ${reason}`;
    return {
      severity: 'error',
      sentence: `${cause}. It was taken up ${take_ups} times within ten minutes, each time in vain. Mend that: ten minutes after the last time the service takes it up again by itself.`,
      ids: [],
      next: { tool: 'get_workflow_monitor', arguments: { execution_id } },
    };
  },
);
