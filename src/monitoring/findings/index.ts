import type { HeardFacts } from '../heard-facts.ts';
import type { SliceFacts } from '../slice-facts.ts';
import { agentGone, agentMissing, readerBehind, unanswered } from './agents.ts';
import {
  brokerAway,
  driverFault,
  driverGone,
  driverSilent,
  executionFailed,
  paused,
  stopPending,
  takeUpFailed,
  takenUp,
} from './drivers.ts';
import { withoutConsequences } from './folding.ts';
import {
  noTransformer,
  resultsRepeated,
  resultsUnmatched,
  samplesUnsliced,
  sizeChanged,
  slicesNotSent,
  slicesUnanswered,
  stfNotReady,
} from './heard-work.ts';
import { contractBroken, idTwice, notHeard, runSilent, toldOtherwise } from './hearing.ts';
import { fileGone, stageSlow, stageStuck, workUndone } from './progress.ts';
import { type Finding, type FindingRule, findingsBy, type Situation, stayFailed } from './rule.ts';
import {
  failuresOnOne,
  nothingSucceedsRule,
  sliceOverdue,
  sliceSlow,
  slicesFailed,
  slicesRetried,
  slicesSlower,
  slotSlow,
} from './slices.ts';
import { clockOff, dataOld, messagesRefused, messagesWaiting, unreadable } from './store.ts';
import { noWorkerFor, workerGone, workerOffDuty, workerUseless, workersTooFew } from './workers.ts';

/** Every kind of finding. Findings of one severity are reported in this order. */
export const findingRules: readonly FindingRule[] = [
  executionFailed,
  workUndone,
  takeUpFailed,
  driverFault,
  driverSilent,
  driverGone,
  brokerAway,
  stopPending,
  paused,
  takenUp,
  slicesUnanswered,
  noTransformer,
  nothingSucceedsRule,
  failuresOnOne,
  sliceOverdue,
  stageStuck,
  stageSlow,
  agentMissing,
  agentGone,
  workerGone,
  fileGone,
  noWorkerFor,
  workerUseless,
  workerOffDuty,
  unanswered,
  readerBehind,
  runSilent,
  stfNotReady,
  slicesNotSent,
  samplesUnsliced,
  slicesFailed,
  slicesRetried,
  notHeard,
  toldOtherwise,
  sliceSlow,
  resultsRepeated,
  slotSlow,
  slicesSlower,
  contractBroken,
  sizeChanged,
  resultsUnmatched,
  idTwice,
  workersTooFew,
  messagesRefused,
  messagesWaiting,
  unreadable,
  dataOld,
  clockOff,
];

/** The findings, the worst first, without findings that another one explains. Lag alone is no finding: a run may be meant to lag and drain. */
export function findingsOf(parts: { driving: Situation } | { heard: HeardFacts }): Finding[] {
  const slices = 'heard' in parts ? parts.heard : sliceFactsOf(parts.driving);
  return withoutConsequences(findingsBy(findingRules, { slices, ...parts }), parts);
}

const sliceFactsOf = ({ facts, evidence }: Situation): SliceFacts => ({
  ...evidence,
  ...facts,
  failed: { count: stayFailed(facts, evidence), ids: evidence.exhausted, isFinal: true },
  until: facts.end_time === null ? facts.now : Date.parse(facts.end_time),
});
