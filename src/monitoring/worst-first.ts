import { type Health, severities, type Severity } from '../domain/states.ts';

export interface Condition {
  findings: readonly { severity: Severity }[];
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

export const worstOf = (healths: readonly Health[]) => healthsWorstFirst.find((health) => healths.includes(health));

/** Health values that need a person's attention, whether or not a finding explains them. */
const severityOf: Readonly<Partial<Record<Health, Severity>>> = { failed: 'error', stalled: 'error', slow: 'warning' };

/**
 * The worst severity among an execution's findings and its health, as an index into `severities`; the number of
 * severities if there is none.
 */
function worstSeverity({ findings, health }: Condition) {
  const found = [...findings.map(({ severity }) => severity), health && severityOf[health]];
  const worst = severities.findIndex((severity) => found.includes(severity));
  return worst === -1 ? severities.length : worst;
}

/**
 * How urgently an execution needs attention; 0 is the most urgent. The worst severity among its findings and
 * its health decides, then the health alone.
 */
function urgency(condition: Condition = { findings: [] }) {
  const { health } = condition;
  const place = health === undefined ? healthsWorstFirst.length : healthsWorstFirst.indexOf(health);
  return worstSeverity(condition) * (healthsWorstFirst.length + 1) + place;
}

/** Sorts executions so that those that most need attention come first; equally urgent ones keep their order. */
export const worstFirst = <Row>(rows: readonly Row[], conditionOf: (row: Row) => Condition | undefined) =>
  rows.toSorted((a, b) => urgency(conditionOf(a)) - urgency(conditionOf(b)));

/** Whether nothing about an execution needs attention now. */
export const isCalm = (condition: Condition) => worstSeverity(condition) >= severities.indexOf('info');
