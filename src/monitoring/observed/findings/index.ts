import { type Finding, type FindingRule, findingsBy } from '../../findings/rule.ts';
import type { ObservedFacts } from '../facts.ts';
import { contractBroken } from './contract-broken.ts';
import {
  observedFailuresOnOne,
  observedNothingSucceeds,
  observedSliceSlow,
  observedSlicesSlower,
  observedSlotSlow,
} from './failures.ts';
import { idTwice } from './id-twice.ts';
import { noTransformer } from './no-transformer.ts';
import { notHeard } from './not-heard.ts';
import { resultsRepeated } from './results-repeated.ts';
import { resultsUnmatched } from './results-unmatched.ts';
import { runSilent } from './run-silent.ts';
import { samplesUnsliced } from './samples-unsliced.ts';
import { sizeChanged } from './size-changed.ts';
import { observedSlicesFailed } from './slices-failed.ts';
import { slicesNotSent } from './slices-not-sent.ts';
import { slicesUnanswered } from './slices-unanswered.ts';
import { stfNotReady } from './stf-not-ready.ts';
import { toldOtherwise } from './told-otherwise.ts';

/** Every kind of finding of observed executions. Findings of one severity are reported in this order. */
export const observedRules: readonly FindingRule<ObservedFacts>[] = [
  slicesUnanswered,
  noTransformer,
  observedNothingSucceeds,
  observedFailuresOnOne,
  runSilent,
  stfNotReady,
  slicesNotSent,
  samplesUnsliced,
  observedSlicesFailed,
  notHeard,
  toldOtherwise,
  observedSlotSlow,
  observedSlicesSlower,
  contractBroken,
  sizeChanged,
  resultsUnmatched,
  idTwice,
  observedSliceSlow,
  resultsRepeated,
];

/** The findings of an observed execution, the worst first. */
export const observedFindings = (facts: ObservedFacts): Finding[] => findingsBy(observedRules, facts);
