import type { Fact } from '../../observed/reading/fact.ts';
import { noteRepeat } from './repeats.ts';
import { type ObservedScope, type SaidFact, saidAt } from './said.ts';

/**
 * The standing message of a fact: of the messages that state it, the first one sent. Others are noted as its repetitions.
 * @param name the key of the fact among those of its kind
 */
export function standingFor<F extends Fact>(scope: ObservedScope, said: SaidFact<F>, name: string): SaidFact<F> {
  const { tx, execution_id } = scope;
  const kind = said.fact.kind === 'phase' ? said.fact.type : said.fact.kind;
  const before = standing<F>(scope, kind, name);
  if (before !== undefined && before.seq !== said.seq && !noteRepeat(tx, said, before)) return before;
  tx.sql(
    `INSERT INTO observed_files (execution_id, kind, name, seq) VALUES (?, ?, ?, ?)
     ON CONFLICT (execution_id, kind, name) DO UPDATE SET seq = excluded.seq`,
  ).run(execution_id, kind, name, said.seq);
  return said;
}

/** The standing message of a fact. */
export function standing<F extends Fact>(
  { tx, execution_id }: ObservedScope,
  kind: string,
  name: string,
): SaidFact<F> | undefined {
  const { sql } = tx;
  const row = sql<[string, string, string], { seq: number }>(
    'SELECT seq FROM observed_files WHERE execution_id = ? AND kind = ? AND name = ?',
  ).get(execution_id, kind, name);
  return row === undefined ? undefined : saidAt<F>(tx, row.seq);
}
