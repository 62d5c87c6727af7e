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
import {
  contractBroken,
  idTwice,
  noTransformer,
  notHeard,
  resultsRepeated,
  resultsUnmatched,
  runSilent,
  samplesUnsliced,
  sizeChanged,
  slicesNotSent,
  slicesUnanswered,
  stfNotReady,
  toldOtherwise,
} from './heard.ts';
import { fileGone, stageSlow, stageStuck, workUndone } from './progress.ts';
import { type Finding, type FindingRule, type Known, type Situation, findingsBy, stayFailed } from './rule.ts';
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

/** The part of what is known that shows why stages stand still. */
type Causes = Pick<Known, 'driving' | 'heard'>;

/** If nothing goes on, all of these follow. */
const standstill = [
  'DATA_OLD',
  'AGENT_GONE',
  'AGENT_MISSING',
  'WORKER_GONE',
  'WORKER_OFF_DUTY',
  'STAGE_STUCK',
  'STAGE_SLOW',
  'SLICE_OVERDUE',
  'READER_BEHIND',
  'UNANSWERED',
  'NO_WORKER_FOR',
];

/** The findings that follow from another one. A cause is reported once, its consequences not at all. */
const consequences: Readonly<Record<string, readonly string[]>> = {
  TAKE_UP_FAILED: [...standstill, 'DRIVER_FAULT', 'DRIVER_GONE', 'TAKEN_UP'],
  DRIVER_FAULT: standstill,
  DRIVER_GONE: standstill,
  DRIVER_SILENT: standstill,
  BROKER_AWAY: standstill,
  AGENT_GONE: ['WORKER_GONE'],
  // More workers would not help where some are slow, or the slices are.
  SLOT_SLOW: ['WORKERS_TOO_FEW'],
  SLICES_SLOWER: ['WORKERS_TOO_FEW'],
  NOTHING_SUCCEEDS: ['SLICES_RETRIED', 'STAGE_STUCK', 'STAGE_SLOW'],
};

/** Findings that explain why a role's stage does not go on: returns the roles that the finding explains fully. */
const causesOfStages: Readonly<Record<string, (finding: Finding, causes: Causes) => readonly string[]>> = {
  AGENT_MISSING: ({ ids }) => ids,
  // Other slices may wait for another reason.
  NO_WORKER_FOR: (_, { driving }) => {
    if (driving === undefined) return [];
    const unfit = driving.evidence.unfit.reduce((sum, { slices }) => sum + slices, 0);
    return unfit >= driving.facts.counts.slices_queued ? ['worker'] : [];
  },
  UNANSWERED: ({ next }) => [String(next.arguments['agent_type'])],
};

/** Drops findings that follow from other findings in the list. */
export function withoutConsequences(findings: readonly Finding[], causes: Causes): Finding[] {
  const folded = new Set(findings.flatMap(({ code }) => consequences[code] ?? []));
  const explained = new Set(findings.flatMap((finding) => causesOfStages[finding.code]?.(finding, causes) ?? []));
  const isStage = ({ code }: Finding): boolean => code === 'STAGE_STUCK' || code === 'STAGE_SLOW';
  return findings.filter(
    (finding) => !folded.has(finding.code) && !(isStage(finding) && explained.has(finding.ids[0] ?? '')),
  );
}
