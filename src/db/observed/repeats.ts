import type { Fact } from '../../observed/reading/fact.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import { isBefore, type SaidFact, saidAt } from './said.ts';

/**
 * Notes that one of two messages repeats the other, or contradicts it. Notes that pointed to the replaced message now point to the new one, and are
 * judged by it. Returns whether the new message counts from now on.
 */
export function noteRepeat(tx: Transaction, said: SaidFact, before: SaidFact, wins = isBefore(said, before)): boolean {
  const { sql } = tx;
  const [stands, other] = wins ? [said, before] : [before, said];
  sql('DELETE FROM repeated_messages WHERE seq = ?').run(stands.seq);
  const noted = sql<[number], { seq: number }>('SELECT seq FROM repeated_messages WHERE stands_seq = ?')
    .column(other.seq)
    .flatMap((seq) => saidAt(tx, seq) ?? []);
  for (const one of [other, ...noted])
    sql(
      `INSERT INTO repeated_messages (seq, stands_seq, contradicts) VALUES (?, ?, ?)
       ON CONFLICT (seq) DO UPDATE SET stands_seq = excluded.stands_seq, contradicts = excluded.contradicts`,
    ).run(one.seq, stands.seq, contradicts(one.fact, stands.fact) ? 1 : 0);
  return wins;
}

/** Results are compared by state: each has its own times. A slice is the same whether or not its message names the execution. */
function contradicts(a: Fact, b: Fact): boolean {
  if (a.kind === 'result' && b.kind === 'result') return a.state !== b.state;
  return JSON.stringify(compared(a)) !== JSON.stringify(compared(b));
}

const compared = (fact: Fact): Fact => (fact.kind === 'slice' ? { ...fact, namesExecution: true } : fact);
