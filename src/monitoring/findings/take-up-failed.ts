import { defineFinding } from './rule.ts';

/** After so many take-ups without anything new an execution is left alone (contract §9). */
export const mostTakeUps = 3;

/** A service has given up on an execution whose drivers came to nothing. */
export const takeUpFailed = defineFinding(
  'TAKE_UP_FAILED',
  ({ facts, evidence: { execution_id, take_ups, driver, drivers } }) => {
    const isDriven = driver?.alive === true && drivers.at(-1)?.until === undefined;
    if (facts.status !== 'running' || take_ups < mostTakeUps || isDriven) return undefined;
    return {
      severity: 'error',
      sentence: `It was taken up ${take_ups} times within ten minutes and came to nothing; it is left alone for a while. The drivers tell why: mend that.`,
      ids: [],
      next: { tool: 'get_workflow_monitor', arguments: { execution_id } },
    };
  },
);
