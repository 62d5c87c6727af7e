import { nextStepSeconds } from '../facts.ts';
import { counted, defineObserved } from './rule.ts';

export const stfNotReady = defineObserved('STF_NOT_READY', ({ execution_id, unready }) =>
  unready.count === 0
    ? undefined
    : {
        severity: 'error',
        sentence: `${counted(unready.count, 'STF file')} were announced more than ${nextStepSeconds} s ago, and no data agent has said that they are ready.`,
        ids: [...unready.ids],
        next: { tool: 'list_stf_files', arguments: { execution_id, status: 'registered' } },
      },
);
