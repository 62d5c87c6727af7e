import { counted } from '../../../lib/counted.ts';
import { defineFinding } from '../../findings/rule.ts';
import type { ObservedFacts } from '../facts.ts';

/** One kind of finding of observed executions. */
export const defineObserved = defineFinding<ObservedFacts>;

export const timeOf = (milliseconds: number): string => new Date(milliseconds).toISOString();

/** A number of things with `was` or `were`, to begin a sentence in the past tense. */
export const were = (n: number, one: string): string => `${counted(n, one)} ${n === 1 ? 'was' : 'were'}`;
