import { agentGone } from './agent-gone.ts';
import { agentMissing } from './agent-missing.ts';
import { brokerAway } from './broker-away.ts';
import { clockOff } from './clock-off.ts';
import { clockStepped } from './clock-stepped.ts';
import { dataOld } from './data-old.ts';
import { driverFault } from './driver-fault.ts';
import { driverGone } from './driver-gone.ts';
import { driverSilent } from './driver-silent.ts';
import { executionFailed } from './execution-failed.ts';
import { failuresOnOne } from './failures-on-one.ts';
import { fileGone } from './file-gone.ts';
import { withoutConsequences } from './folding.ts';
import { messagesRefused } from './messages-refused.ts';
import { messagesWaiting } from './messages-waiting.ts';
import { noWorkerFor } from './no-worker-for.ts';
import { nothingSucceedsRule } from './nothing-succeeds.ts';
import { nothingWritten } from './nothing-written.ts';
import { paused } from './paused.ts';
import { readerBehind } from './reader-behind.ts';
import { type Finding, type FindingRule, findingsBy, type Situation, stayFailed, type SliceFacts } from './rule.ts';
import { slicesSlower, slotSlow } from './service-times.ts';
import { sliceOverdue } from './slice-overdue.ts';
import { sliceSlow } from './slice-slow.ts';
import { slicesFailed } from './slices-failed.ts';
import { slicesRetried } from './slices-retried.ts';
import { stageSlow, stageStuck } from './stages.ts';
import { stopPending } from './stop-pending.ts';
import { takeUpFailed } from './take-up-failed.ts';
import { takenUp } from './taken-up.ts';
import { unanswered } from './unanswered.ts';
import { unreadable } from './unreadable.ts';
import { workUndone } from './work-undone.ts';
import { workerGone } from './worker-gone.ts';
import { workerOffDuty } from './worker-off-duty.ts';
import { workerUseless } from './worker-useless.ts';
import { workersTooFew } from './workers-too-few.ts';

/** Every kind of finding. Findings of one severity are reported in this order. */
export const findingRules: readonly FindingRule<Situation & SliceFacts>[] = [
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
  slicesFailed,
  slicesRetried,
  sliceSlow,
  slotSlow,
  slicesSlower,
  workersTooFew,
  messagesRefused,
  messagesWaiting,
  unreadable,
  dataOld,
  nothingWritten,
  clockStepped,
  clockOff,
];

/** The findings, the worst first, without findings that another one explains. Lag alone is no finding: a run may be meant to lag and drain. */
export const findingsOf = (situation: Situation): Finding[] =>
  withoutConsequences(findingsBy(findingRules, { ...sliceFactsOf(situation), ...situation }), situation);

const sliceFactsOf = ({ facts, evidence }: Situation): SliceFacts => ({
  ...evidence,
  ...facts,
  failed: { count: stayFailed(facts, evidence), ids: evidence.exhausted, isFinal: true },
  until: facts.end_time === null ? facts.now : Date.parse(facts.end_time),
});
