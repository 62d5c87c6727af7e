import { counted } from '../../../lib/counted.ts';
import type { Finding } from '../../findings/rule.ts';
import type { ObservedFacts } from '../facts.ts';

/** One kind of finding of observed executions. `docs/monitor.md` has a row per code. */
export interface ObservedRule {
  code: string;
  find: (facts: ObservedFacts) => Omit<Finding, 'code'> | undefined;
}

export const defineObserved = (code: string, find: ObservedRule['find']): ObservedRule => ({ code, find });

export const timeOf = (milliseconds: number): string => new Date(milliseconds).toISOString();

/** The same, as the subject of a past-tense sentence. */
export const were = (n: number, one: string): string => `${counted(n, one)} ${n === 1 ? 'was' : 'were'}`;
