import { failuresOnOne } from '../../findings/failures-on-one.ts';
import { nothingSucceedsRule } from '../../findings/nothing-succeeds.ts';
import { type Finding, type FindingRule, findingsBy } from '../../findings/rule.ts';
import { slicesSlower, slotSlow } from '../../findings/service-times.ts';
import { sliceSlow } from '../../findings/slice-slow.ts';
import { slicesFailed } from '../../findings/slices-failed.ts';
import type { ObservedFacts } from '../facts.ts';
import { contractBroken } from './contract-broken.ts';
import { idTwice } from './id-twice.ts';
import { noTransformer } from './no-transformer.ts';
import { notHeard } from './not-heard.ts';
import { resultsRepeated } from './results-repeated.ts';
import { resultsUnmatched } from './results-unmatched.ts';
import { runSilent } from './run-silent.ts';
import { samplesUnsliced } from './samples-unsliced.ts';
import { sizeChanged } from './size-changed.ts';
import { slicesNotSent } from './slices-not-sent.ts';
import { slicesUnanswered } from './slices-unanswered.ts';
import { stfNotReady } from './stf-not-ready.ts';
import { toldOtherwise } from './told-otherwise.ts';

/** Every kind of finding of observed executions. Findings of one severity are reported in this order. */
export const observedRules: readonly FindingRule<ObservedFacts>[] = [
  slicesUnanswered,
  noTransformer,
  nothingSucceedsRule,
  failuresOnOne,
  runSilent,
  stfNotReady,
  slicesNotSent,
  samplesUnsliced,
  slicesFailed,
  notHeard,
  toldOtherwise,
  slotSlow,
  slicesSlower,
  contractBroken,
  sizeChanged,
  resultsUnmatched,
  idTwice,
  sliceSlow,
  resultsRepeated,
];

/** The findings of an observed execution, the worst first. */
export const observedFindings = (facts: ObservedFacts): Finding[] => findingsBy(observedRules, facts);
