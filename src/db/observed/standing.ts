import type { PhaseMessage } from '../../domain/run-phases.ts';
import type { Fact } from '../../observed/reading/fact.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import { type FactOf, isBefore, type ObservedScope, type SaidFact, saidAt } from './said.ts';

/**
 * The standing message of a fact: of the messages that state it, the first one sent. Others are noted as its repetitions.
 * @param name the key of the fact among those of its kind
 */
export function standingFor<F extends Fact>(scope: ObservedScope, said: SaidFact<F>, name: string): SaidFact<F> {
  const { tx, sql, execution_id } = scope;
  const kind = said.fact.kind === 'phase' ? said.fact.type : said.fact.kind;
  const before = standing(scope, kind, name) as SaidFact<F> | undefined;
  if (before !== undefined && before.seq !== said.seq && !noteRepeat(tx, said, before)) return before;
  sql(
    `INSERT INTO observed_files (execution_id, kind, name, seq) VALUES (?, ?, ?, ?)
     ON CONFLICT (execution_id, kind, name) DO UPDATE SET seq = excluded.seq`,
  ).run(execution_id, kind, name, said.seq);
  return said;
}

/** The standing message of a fact. */
export function standing<K extends Fact['kind'] | PhaseMessage>(
  { tx, sql, execution_id }: ObservedScope,
  kind: K,
  name: string,
): SaidFact<FactOf<K extends PhaseMessage ? 'phase' : Exclude<K, PhaseMessage>>> | undefined {
  const place = sql<[string, string, string], number>(
    'SELECT seq FROM observed_files WHERE execution_id = ? AND kind = ? AND name = ?',
  );
  return saidAt(tx, place.value(execution_id, kind, name));
}

/**
 * Notes that one of two messages repeats the other, or contradicts it. Notes that pointed to the replaced message now point to the new one, and are
 * judged by it. Returns whether the new message counts from now on.
 */
export function noteRepeat(tx: Transaction, said: SaidFact, before: SaidFact, wins = isBefore(said, before)): boolean {
  const { sql } = tx;
  const [stands, other] = wins ? [said, before] : [before, said];
  sql('DELETE FROM repeated_messages WHERE seq = ?').run(stands.seq);
  const noted = sql<[number], number>('SELECT seq FROM repeated_messages WHERE stands_seq = ?')
    .values(other.seq)
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
