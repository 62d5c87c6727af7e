import { defineFinding } from '../../findings/rule.ts';
import type { ObservedFacts } from '../facts.ts';

/** One kind of finding of observed executions. */
export const defineObserved = defineFinding<ObservedFacts>;

export const timeOf = (milliseconds: number): string => new Date(milliseconds).toISOString();
