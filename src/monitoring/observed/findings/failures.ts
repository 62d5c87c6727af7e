import { failuresOnOneFinding } from '../../findings/failures-on-one.ts';
import { nothingSucceedsFinding } from '../../findings/nothing-succeeds.ts';
import { slicesSlowerFinding, slotSlowFinding } from '../../findings/service-times.ts';
import { sliceSlowFinding } from '../../findings/slice-slow.ts';
import { defineObserved } from './rule.ts';

export const observedNothingSucceeds = defineObserved('NOTHING_SUCCEEDS', (facts) =>
  nothingSucceedsFinding(facts, facts.status === 'running' ? facts.now : facts.last_message),
);

export const observedFailuresOnOne = defineObserved('FAILURES_ON_ONE', failuresOnOneFinding);

export const observedSliceSlow = defineObserved('SLICE_SLOW', sliceSlowFinding);

export const observedSlotSlow = defineObserved('SLOT_SLOW', slotSlowFinding);

export const observedSlicesSlower = defineObserved('SLICES_SLOWER', slicesSlowerFinding);
