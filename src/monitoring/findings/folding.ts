import type { Finding, Situation } from './rule.ts';

/** Nothing goes on, so all of these follow. */
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

/** The findings that follow from another one. A cause is told once, and its consequences not at all. */
const consequences: Readonly<Record<string, readonly string[]>> = {
  TAKE_UP_FAILED: [...standstill, 'DRIVER_FAULT', 'DRIVER_GONE', 'TAKEN_UP'],
  DRIVER_FAULT: standstill,
  DRIVER_GONE: standstill,
  DRIVER_SILENT: standstill,
  BROKER_AWAY: standstill,
  AGENT_GONE: ['WORKER_GONE'],
  NOTHING_SUCCEEDS: ['SLICES_RETRIED', 'STAGE_STUCK', 'STAGE_SLOW'],
};

/** Findings about one role that say why its stage does not go on: the roles of which that is the whole reason. */
const causesOfStages: Readonly<Record<string, (finding: Finding, situation: Situation) => readonly string[]>> = {
  AGENT_MISSING: ({ ids }) => ids,
  // Others may wait for another reason.
  NO_WORKER_FOR: (_, { facts, evidence }) =>
    evidence.unfit.reduce((sum, { slices }) => sum + slices, 0) >= facts.counts.slices_queued ? ['worker'] : [],
  UNANSWERED: ({ next }) => [String(next.arguments['agent_type'])],
};

/** Findings without those that follow from others among them. */
export function withoutConsequences(findings: readonly Finding[], situation: Situation): Finding[] {
  const folded = new Set(findings.flatMap(({ code }) => consequences[code] ?? []));
  const explained = new Set(findings.flatMap((finding) => causesOfStages[finding.code]?.(finding, situation) ?? []));
  const isStage = ({ code }: Finding): boolean => code === 'STAGE_STUCK' || code === 'STAGE_SLOW';
  return findings.filter(
    (finding) => !folded.has(finding.code) && !(isStage(finding) && explained.has(finding.ids[0] ?? '')),
  );
}
