import type { Health } from '../domain/states.ts';

interface Condition {
  findings: readonly { severity: string }[];
  /** Undefined if it is not known. */
  health?: Health | undefined;
}

export const healthsWorstFirst: readonly Health[] = [
  'failed',
  'stalled',
  'slow',
  'paused',
  'draining',
  'progressing',
  'finished',
];

/** The worst of some healths; undefined without any. */
export const worstOf = (healths: readonly Health[]): Health | undefined =>
  healthsWorstFirst.find((health) => healths.includes(health));

const severities = ['error', 'warning', 'info'];

/** The index of a word in a list, or the list's length if it is not there. */
function placeOf(words: readonly string[], word: string | undefined): number {
  const at = words.indexOf(word ?? '');
  return at === -1 ? words.length : at;
}

/** How urgently an execution needs a person, 0 the most: its worst finding counts first, then its health. */
function urgency({ findings, health }: Condition = { findings: [] }): number {
  const worst = Math.min(severities.length, ...findings.map(({ severity }) => placeOf(severities, severity)));
  return worst * (healthsWorstFirst.length + 1) + placeOf(healthsWorstFirst, health);
}

/** Sorts executions so that those that need a person most come first; equal ones keep their order. */
export const worstFirst = <Row>(rows: readonly Row[], conditionOf: (row: Row) => Condition | undefined): Row[] =>
  rows.toSorted((a, b) => urgency(conditionOf(a)) - urgency(conditionOf(b)));

/** Whether nothing about an execution needs a person now. */
export const isCalm = ({ findings, health }: Condition): boolean =>
  findings.every(({ severity }) => severity === 'info') && !['failed', 'stalled', 'slow'].includes(health ?? '');
