import { sha256 } from '../../lib/sha256.ts';
import type { ResultFact } from '../../observed/reading/fact.ts';
import type { ObservedScope, SaidFact } from './said.ts';

/** Beside the results on record one is new, the copy of another, or the message of which there was a copy alone, in whose place it stands by now. */
type Joined = 'new' | 'copy' | 'original';

/** Joins a result that came by REST with the same message on the bus, which has more to tell: by its whole text. */
export function joinCopies(scope: ObservedScope, said: SaidFact<ResultFact>): Joined {
  const { tx, execution_id } = scope;
  const isCopy = said.fact.copyOf !== undefined;
  const digest = sha256()
    .update(said.fact.copyOf ?? textOf(scope, said.seq))
    .digest('hex')
    .slice(0, 32);
  const known = tx
    .sql<[string, string], { seq: number; is_copy: number }>(
      'SELECT seq, is_copy FROM result_texts WHERE execution_id = ? AND digest = ?',
    )
    .get(execution_id, digest);
  if (known === undefined) {
    tx.sql('INSERT INTO result_texts (execution_id, digest, seq, is_copy) VALUES (?, ?, ?, ?)').run(
      execution_id,
      digest,
      said.seq,
      isCopy ? 1 : 0,
    );
    return 'new';
  }
  if (known.seq === said.seq) return 'new';
  if (isCopy) return 'copy';
  if (known.is_copy === 0) return 'new';
  tx.sql('UPDATE result_texts SET seq = ?, is_copy = 0 WHERE execution_id = ? AND digest = ?').run(
    said.seq,
    execution_id,
    digest,
  );
  replaceCopy(scope, known.seq, said.seq);
  return 'original';
}

const textOf = ({ tx }: ObservedScope, seq: number): string =>
  tx.sql<[number], { body: string }>('SELECT body FROM message_rows WHERE seq = ?').get(seq)?.body ?? '';

/** The message of the bus takes the place of what REST told of it. */
function replaceCopy({ tx }: ObservedScope, copy: number, message: number): void {
  for (const [table, column] of [
    ['observed_attempts', 'result_seq'],
    ['unmatched_results', 'seq'],
    ['repeated_messages', 'seq'],
    ['repeated_messages', 'stands_seq'],
  ] as const)
    tx.sql(`UPDATE ${table} SET ${column} = ? WHERE ${column} = ?`).run(message, copy);
}
