import type { Finding } from './rule.ts';

const order = { error: 0, warning: 1, info: 2 } as const;

/** Sorts findings, the worst first. */
export const bySeverity = (a: Finding, b: Finding): number => order[a.severity] - order[b.severity];
