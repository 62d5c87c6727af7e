import { agentRules } from './agents.ts';
import { driverRules } from './drivers.ts';
import { heardRules } from './heard.ts';
import { stageRules } from './progress.ts';
import { promptRules } from './prompt.ts';
import { type Finding, type FindingRule, type Known, findingsBy } from './rule.ts';
import { sliceRules } from './slices.ts';
import { storeRules } from './store.ts';
import { workerRules } from './workers.ts';

/** The order in which findings of the same severity are reported. */
const order: readonly string[] = [
  'EXECUTION_FAILED',
  'WORK_UNDONE',
  'TAKE_UP_FAILED',
  'DRIVER_FAULT',
  'DRIVER_SILENT',
  'DRIVER_GONE',
  'BROKER_AWAY',
  'STOP_PENDING',
  'PAUSED',
  'TAKEN_UP',
  'PAYLOAD_CHANGED',
  'SLICES_UNANSWERED',
  'NO_TRANSFORMER',
  'TRANSFORMER_GONE',
  'TRANSFORMER_BOUND',
  'NOTHING_SUCCEEDS',
  'FAILURES_ON_ONE',
  'SLICE_OVERDUE',
  'STAGE_STUCK',
  'STAGE_SLOW',
  'AGENT_MISSING',
  'AGENT_GONE',
  'WORKER_GONE',
  'FILE_GONE',
  'NO_WORKER_FOR',
  'WORKER_USELESS',
  'WORKER_OFF_DUTY',
  'UNANSWERED',
  'READER_BEHIND',
  'RUN_SILENT',
  'NOT_HANDED_OVER',
  'DATA_AGENT_WAITS',
  'STF_NOT_READY',
  'STF_NOT_REGISTERED',
  'STF_FAILED',
  'STF_NOT_PROCESSED',
  'SLICES_NOT_SENT',
  'SAMPLES_UNSLICED',
  'SLICES_FAILED',
  'SLICES_RETRIED',
  'NOT_HEARD',
  'RUN_NOT_CLOSED',
  'WORKFLOWS_MIXED',
  'TOLD_OTHERWISE',
  'SLICE_SLOW',
  'RESULTS_REPEATED',
  'SLOT_SLOW',
  'SLICES_SLOWER',
  'CONTRACT_BROKEN',
  'SIZE_CHANGED',
  'RESULTS_UNMATCHED',
  'ID_TWICE',
  'WORKERS_TOO_FEW',
  'MESSAGES_REFUSED',
  'MESSAGES_WAITING',
  'UNREADABLE',
  'DATA_OLD',
  'CLOCK_OFF',
];

const placeOf = ({ code }: FindingRule) => order.indexOf(code);

export const findingRules: readonly FindingRule[] = [
  ...agentRules,
  ...driverRules,
  ...heardRules,
  ...promptRules,
  ...sliceRules,
  ...stageRules,
  ...storeRules,
  ...workerRules,
].toSorted((a, b) => placeOf(a) - placeOf(b));

/**
 * The findings, worst first, without those that another finding explains. Lag alone is not a finding, since a
 * run may be planned to lag and then drain.
 */
export function findingsOf({ driving, heard }: Causes) {
  const slices = heard ?? driving;
  if (slices === undefined) return [];
  const known = { slices, driving, heard };
  return withoutConsequences(findingsBy(findingRules, known), known);
}

/** The known facts that show why stages are stuck. */
type Causes = Pick<Known, 'driving' | 'heard'>;

/** If nothing is progressing, these findings are only consequences of that. */
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

/** For each finding, the findings that are its consequences; only the cause is reported. */
const consequences: Readonly<Record<string, readonly string[]>> = {
  TAKE_UP_FAILED: [...standstill, 'DRIVER_FAULT', 'DRIVER_GONE', 'TAKEN_UP'],
  DRIVER_FAULT: standstill,
  DRIVER_GONE: standstill,
  DRIVER_SILENT: standstill,
  BROKER_AWAY: standstill,
  AGENT_GONE: ['WORKER_GONE'],
  NO_TRANSFORMER: ['TRANSFORMER_GONE'],
  // More workers would not help if some workers or slices are slow.
  SLOT_SLOW: ['WORKERS_TOO_FEW'],
  SLICES_SLOWER: ['WORKERS_TOO_FEW'],
  NOTHING_SUCCEEDS: ['SLICES_RETRIED', 'STAGE_STUCK', 'STAGE_SLOW'],
};

/**
 * Findings that explain why a role's stage does not progress, each with a function that returns the roles for
 * which it is the full explanation.
 */
const causesOfStages: Readonly<Record<string, (finding: Finding, causes: Causes) => readonly string[]>> = {
  AGENT_MISSING: ({ ids }) => ids,
  // This finding explains the stage's state only if it applies to all waiting slices.
  NO_WORKER_FOR: (_, { driving }) => {
    if (driving === undefined) return [];
    const unfit = driving.unfit.reduce((sum, { slices }) => sum + slices, 0);
    return unfit >= driving.counts.slices_queued ? ['worker'] : [];
  },
  UNANSWERED: ({ next }) => [String(next.arguments['agent_type'])],
};

/** Removes findings that are consequences of other findings in the list. */
export function withoutConsequences(findings: readonly Finding[], causes: Causes) {
  const folded = new Set(findings.flatMap(({ code }) => consequences[code] ?? []));
  const explained = new Set(findings.flatMap((finding) => causesOfStages[finding.code]?.(finding, causes) ?? []));
  const isStage = ({ code }: Finding) => code === 'STAGE_STUCK' || code === 'STAGE_SLOW';
  return findings.filter(
    (finding) => !folded.has(finding.code) && !(isStage(finding) && explained.has(finding.ids[0] ?? '')),
  );
}
