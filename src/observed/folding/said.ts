import { grouped } from '../../lib/grouped.ts';
import type { Fact } from '../reading/fact.ts';

/** A recorded message, with the values that decide which of several messages counts. */
export interface Said {
  seq: number;
  /** Milliseconds since 1970. */
  sent_ms: number;
  message_id: string;
  /** The body as stored. */
  body: string;
}

export type FactOf<Kind extends Fact['kind']> = Extract<Fact, { kind: Kind }>;

export interface SaidFact<F extends Fact = Fact> extends Said {
  fact: F;
}

/** When a message was sent, as ISO 8601 in UTC. */
export const timeOf = ({ sent_ms }: Said) => new Date(sent_ms).toISOString();

/**
 * Orders contradictory statements: the earlier one counts or, if both were sent at the same time, the one
 * with the smaller id.
 */
export const bySending = (a: Said, b: Said) => a.sent_ms - b.sent_ms || (a.message_id < b.message_id ? -1 : 1);

/** A message that repeats or contradicts another message (`stands_seq`), which is the one that counts. */
export interface Repeat {
  seq: number;
  stands_seq: number;
  contradicts: boolean;
}

/** Of several messages about the same fact, the first in order counts, and the others repeat it. */
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

/** The message that counts for each fact name, and how the other messages repeat it. */
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
 * Results are compared only by state, since each message has its own times. Slices are equal even if only one
 * of the messages names the execution.
 */
function contradicts(a: Fact, b: Fact) {
  if (a.kind === 'result' && b.kind === 'result') return a.state !== b.state;
  return JSON.stringify(compared(a)) !== JSON.stringify(compared(b));
}

const compared = (fact: Fact) => (fact.kind === 'slice' ? { ...fact, namesExecution: true } : fact);
