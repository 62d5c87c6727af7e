import { grouped } from '../../lib/grouped.ts';
import type { Fact } from '../reading/fact.ts';

/** A recorded message, with what decides which of several counts. */
export interface Said {
  seq: number;
  /** Milliseconds since 1970. */
  sent_ms: number;
  message_id: string;
  /** As stored. */
  body: string;
}

export type FactOf<Kind extends Fact['kind']> = Extract<Fact, { kind: Kind }>;

/** A recorded message with its fact. */
export interface SaidFact<F extends Fact = Fact> extends Said {
  fact: F;
}

/** When a message was sent, as UTC in ISO 8601. */
export const timeOf = ({ sent_ms }: Said) => new Date(sent_ms).toISOString();

/** Of contradicting statements, the earlier one counts, and at the same time the one with the smaller id. */
export const bySending = (a: Said, b: Said) => a.sent_ms - b.sent_ms || (a.message_id < b.message_id ? -1 : 1);

/** A message that repeats or contradicts another one, which stands. */
export interface Repeat {
  seq: number;
  stands_seq: number;
  contradicts: boolean;
}

/** Of messages that state the same fact, the first in order stands, and the others repeat it. */
export function standingOf<F extends Fact>(
  said: readonly SaidFact<F>[],
  order: (a: SaidFact<F>, b: SaidFact<F>) => number = bySending,
): { stands: SaidFact<F> | undefined; repeats: Repeat[] } {
  const [stands, ...others] = said.toSorted(order);
  const repeats = others.map(({ seq, fact }) => ({
    seq,
    stands_seq: stands?.seq ?? seq,
    contradicts: stands !== undefined && contradicts(fact, stands.fact),
  }));
  return { stands, repeats };
}

/** The messages that stand, by the name of the fact, and how the others repeat them. */
export function standingBy<F extends Fact>(
  said: readonly SaidFact<F>[],
  nameOf: (fact: F) => string,
): { stands: ReadonlyMap<string, SaidFact<F>>; repeats: Repeat[] } {
  const stands = new Map<string, SaidFact<F>>();
  const repeats: Repeat[] = [];
  for (const [name, some] of grouped(said, ({ fact }) => nameOf(fact))) {
    const standing = standingOf(some);
    if (standing.stands !== undefined) stands.set(name, standing.stands);
    repeats.push(...standing.repeats);
  }
  return { stands, repeats };
}

/**
 * Results are compared by state: each has its own times. A slice is the same whether or not its message names
 * the execution.
 */
function contradicts(a: Fact, b: Fact): boolean {
  if (a.kind === 'result' && b.kind === 'result') return a.state !== b.state;
  return JSON.stringify(compared(a)) !== JSON.stringify(compared(b));
}

const compared = (fact: Fact) => (fact.kind === 'slice' ? { ...fact, namesExecution: true } : fact);
