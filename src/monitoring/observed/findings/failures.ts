import { nothingSucceeds } from '../../failures-in-a-row.ts';
import { failuresOnOneFinding } from '../../findings/failures-on-one.ts';
import { nothingSucceedsFinding } from '../../findings/nothing-succeeds.ts';
import { sliceSlowFinding } from '../../findings/slice-slow.ts';
import { defineObserved } from './rule.ts';

export const observedNothingSucceeds = defineObserved('NOTHING_SUCCEEDS', (facts) => {
  const { execution_id, failing, last_message, status, now, causes, counts } = facts;
  const isRunning = status === 'running';
  if (!nothingSucceeds(failing, isRunning ? now : last_message)) return undefined;
  return nothingSucceedsFinding(execution_id, failing, { isRunning, done: counts.slices_completed, causes });
});

export const observedFailuresOnOne = defineObserved('FAILURES_ON_ONE', ({ execution_id, concentration }) =>
  concentration === undefined ? undefined : failuresOnOneFinding(execution_id, concentration),
);

export const observedSliceSlow = defineObserved('SLICE_SLOW', ({ execution_id, slowest, delays }) => {
  const delay = delays.find(({ stage }) => stage === 'slice_started → slice_result');
  return slowest === undefined || delay === undefined ? undefined : sliceSlowFinding(execution_id, slowest, delay);
});
