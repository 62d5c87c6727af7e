import { counted } from '../../../lib/counted.ts';
import { defineFinding } from '../../findings/rule.ts';
import type { ObservedFacts } from '../facts.ts';

/** One kind of finding of observed executions. */
export const defineObserved = defineFinding<ObservedFacts>;

export const timeOf = (milliseconds: number): string => new Date(milliseconds).toISOString();

/** The same, as the subject of a past-tense sentence. */
export const were = (n: number, one: string): string => `${counted(n, one)} ${n === 1 ? 'was' : 'were'}`;
